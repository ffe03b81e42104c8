#include "wire/document.h"

#include <simdjson.h>

namespace vouch::wire {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr std::size_t kDeepest = 128;
constexpr std::size_t kKeptScratch = 4 << 20;
constexpr std::size_t kCountUnknown = 0xffffff;  // simdjson counts no further

// A slice of JSON made into values of ours; false at a member that its object has twice.
bool copy(element from, Json& to) {
  switch (from.type()) {
    case element_type::ARRAY: {
      const auto items = from.get_array().value_unsafe();
      auto& array = to.emplace_array();
      if (items.size() < kCountUnknown) array.reserve(items.size());
      for (const element item : items)
        if (!copy(item, array.emplace_back(nullptr))) return false;
      return true;
    }
    case element_type::OBJECT: {
      const auto fields = from.get_object().value_unsafe();
      auto& object = to.emplace_object();
      if (fields.size() < kCountUnknown) object.reserve(fields.size());
      for (const auto field : fields) {
        const auto [at, is_new] = object.emplace(field.key, nullptr);
        if (!is_new || !copy(field.value, at->value())) return false;
      }
      return true;
    }
    case element_type::STRING: to.emplace_string().assign(from.get_string().value_unsafe()); return true;
    case element_type::INT64: to = from.get_int64().value_unsafe(); return true;
    case element_type::UINT64: to = from.get_uint64().value_unsafe(); return true;
    case element_type::DOUBLE: to = from.get_double().value_unsafe(); return true;
    case element_type::BOOL: to = from.get_bool().value_unsafe(); return true;
    case element_type::NULL_VALUE: return true;
  }
  return false;
}

Result<Json> parse_strict(std::string_view body, json::storage_ptr storage) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (body.starts_with(byte_order_mark)) return fail(Errc::malformed, "not JSON: it begins with a byte order mark");
  thread_local simdjson::dom::parser parser;  // its buffers are worth keeping between answers
  if (parser.capacity() < body.size() && parser.allocate(std::max<std::size_t>(body.size(), 64 << 10), kDeepest) != simdjson::SUCCESS)
    return fail(Errc::limit, "no memory for a body of {} bytes", body.size());
  element root;
  const auto error = parser.parse(body.data(), body.size()).get(root);
  Json value(nullptr, std::move(storage));
  const bool unique = error != simdjson::SUCCESS || copy(root, value);
  if (parser.capacity() > kKeptScratch) parser = simdjson::dom::parser{};
  if (error != simdjson::SUCCESS) return fail(Errc::malformed, "not JSON: {}", simdjson::error_message(error));
  if (!unique) return fail(Errc::malformed, "JSON, but an object has a member twice");
  return value;
}

}  // namespace

std::string_view name_of(AnswerKind kind) {
  switch (kind) {
    case AnswerKind::json: return "json";
    case AnswerKind::csv: return "csv";
    case AnswerKind::text: return "text";
  }
  return {};
}

std::optional<AnswerKind> parse_answer_kind(std::string_view name) {
  for (const auto kind : {AnswerKind::json, AnswerKind::csv, AnswerKind::text})
    if (name == name_of(kind)) return kind;
  return std::nullopt;
}

Result<Json> parse_document(std::string_view body, AnswerKind kind, json::storage_ptr storage) {
  if (kind == AnswerKind::json) return parse_strict(body, std::move(storage));
  if (!simdjson::validate_utf8(body.data(), body.size())) return fail(Errc::malformed, "the text is not UTF-8");
  return Json(json::string_view{body.data(), body.size()}, std::move(storage));
}

}  // namespace vouch::wire
