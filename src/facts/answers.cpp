#include "facts/answers.h"

#include "wire/document.h"
#include "wire/parse.h"

namespace vouch::facts {

Result<std::string> Answers::blob(const Digest& digest, std::string_view what) {
  auto bytes = blobs_.get(digest);
  if (bytes) return bytes;
  auto error = std::move(bytes).error();
  // The ledger names it, so it was stored: a blob that is not there was taken away.
  if (error.code == Errc::not_found) error.code = Errc::corrupt;
  return std::unexpected(std::move(error).within(fmt::format("{} {}", what, to_hex(digest))));
}

// Evidence is checked when it is written; what does not read back is damage.
template <class T>
Result<T> stored(Result<T> parsed, std::string_view what, const Digest& digest) {
  if (parsed) return parsed;
  return fail(Errc::corrupt, "{} {}: {}", what, to_hex(digest), parsed.error().message);
}

Result<evidence::Tree> Answers::tree(const Digest& digest) {
  return stored(evidence::parse_tree(TRY(blob(digest, "tree"))), "tree", digest);
}

Result<evidence::Times> Answers::times(const Digest& digest) {
  return stored(evidence::parse_times(TRY(blob(digest, "times"))), "times", digest);
}

Result<evidence::Manifest> Answers::manifest(const Digest& digest) {
  ++manifests_read;
  return stored(evidence::parse_manifest(TRY(blob(digest, "manifest"))), "manifest", digest);
}

Result<std::pair<const wire::Service*, const wire::Operation*>> Answers::operation(std::string_view name) {
  const auto colon = name.find(':');
  const auto service = name.substr(0, colon), operation = colon == std::string_view::npos ? "" : name.substr(colon + 1);
  if (!own_) own_ = TRY(wire::Models::from_text(models_.text()));
  auto found = own_->operation(service, operation);
  if (found || found.error().code != Errc::not_found) return found;
  // A home's own calls have their models in a directory of botocore's.
  if (!others_) others_ = TRY(wire::Models::open(wire::Models::data_directories()));
  return others_->operation(service, operation);
}

Result<Json> Answers::answer(std::string_view operation_name, Form form, const Page& page) {
  const auto bytes = TRY(blob(*page.body, "body"));
  ++bodies_read;
  const auto storage = json::make_shared_resource<json::monotonic_resource>(room_.get(), room_bytes);
  if (form != Form::aws) {
    if (bytes.empty()) return Json(nullptr);  // a 204
    return wire::parse_document(bytes, form == Form::json ? wire::AnswerKind::json : wire::AnswerKind::text, storage);
  }
  const auto [service, model] = TRY(operation(operation_name));
  auto parsed = TRY_WITHIN(wire::parse_answer(*service, *model, page.status, {}, bytes, storage), "body {}", to_hex(*page.body));
  if (parsed.error) return fail(Errc::malformed, "body {} is the error {}", to_hex(*page.body), parsed.error->code);
  return std::move(parsed.value);
}

bool is_damage(const Error& error) { return error.code == Errc::corrupt || error.code == Errc::io || error.code == Errc::limit; }

Page page_of(const evidence::Entry& entry) {
  return {entry.page, entry.status, entry.absent, entry.gone, entry.content, entry.is_answer() ? entry.body : std::nullopt, entry.key};
}

}  // namespace vouch::facts
