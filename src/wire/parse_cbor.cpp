#include "base/encoding.h"
#include "wire/cbor.h"
#include "wire/parse_body.h"

namespace vouch::wire {
namespace {

Result<> read(const Member& use, CborReader& reader, Json& out, int depth);

// Calls `visit` for each of `size` items, or up to the break.
template <class Visit>
Result<> each(CborReader& reader, std::uint64_t size, Visit visit) {
  for (std::uint64_t i = 0; size == CborReader::kIndefinite ? !reader.take_break() : i < size; ++i) TRY(visit());
  return {};
}

Result<> read_structure(const Shape& shape, CborReader& reader, json::object& out, int depth) {
  return each(reader, TRY(reader.map()), [&]() -> Result<> {
    const auto key = TRY(reader.text());
    const auto at = shape.by_wire_name.find(key);
    if (at == shape.by_wire_name.end()) return reader.skip(kDeepestAnswer - depth);
    Json value(nullptr, out.storage());
    auto result = read(*at->second, reader, value, depth + 1);
    if (!result) return std::unexpected(std::move(result).error().within(at->second->name));
    if (!value.is_null()) out[at->second->name] = std::move(value);
    return {};
  });
}

Result<> read_timestamp(CborReader& reader, Json& out) {
  if (reader.peek() == CborReader::Type::text) return put_timestamp(TRY(reader.text()), out);
  if (reader.peek() == CborReader::Type::tag && TRY(reader.tag()) != 1) return fail(Errc::malformed, "CBOR has a tag that is no timestamp");
  return put_timestamp(TRY(reader.real()), out);
}

Result<> read(const Member& use, CborReader& reader, Json& out, int depth) {
  if (depth > kDeepestAnswer) return fail(Errc::malformed, "CBOR is nested too deeply");
  if (reader.peek() == CborReader::Type::null) return reader.null();
  switch (use.shape->kind) {
    case Kind::structure: return read_structure(*use.shape, reader, out.emplace_object(), depth);
    case Kind::list: {
      auto& array = out.emplace_array();
      return each(reader, TRY(reader.list()), [&] { return read(*use.shape->element, reader, array.emplace_back(nullptr), depth + 1); });
    }
    case Kind::map: {
      auto& object = out.emplace_object();
      return each(reader, TRY(reader.map()), [&]() -> Result<> {
        const auto key = TRY(reader.text());
        TRY(read(*use.shape->value, reader, object[key], depth + 1));
        if (object[key].is_null()) object.erase(key);
        return {};
      });
    }
    case Kind::string: out.emplace_string().assign(TRY(reader.text())); return {};
    case Kind::blob: out.emplace_string().assign(to_base64(bytes_of(TRY(reader.bytes())))); return {};
    case Kind::boolean: out = TRY(reader.boolean()); return {};
    case Kind::integer: out = TRY(reader.integer()); return {};
    case Kind::real: put_real(TRY(reader.real()), out); return {};
    case Kind::timestamp: return read_timestamp(reader, out);
  }
  return {};
}

}  // namespace

Result<> read_cbor(const Member& use, std::string_view body, Json& out) {
  CborReader reader{body};
  if (reader.peek() != CborReader::Type::map) return fail(Errc::malformed, "not CBOR: no map where `{}` is due", use.shape->name);
  TRY(read(use, reader, out, 0));
  if (!reader.at_end()) return fail(Errc::malformed, "bytes behind the CBOR value");
  return {};
}

Result<TypedError> read_cbor_error(std::string_view body) {
  TypedError error;
  if (body.empty()) return error;
  CborReader reader{body};
  if (reader.peek() != CborReader::Type::map) return fail(Errc::malformed, "not CBOR: no map in an error's body");
  TRY(each(reader, TRY(reader.map()), [&]() -> Result<> {
    const auto key = TRY(reader.text());
    auto* wanted = key == "__type" ? &error.type : key == "message" || key == "Message" ? &error.message : nullptr;
    if (!wanted || reader.peek() != CborReader::Type::text) return reader.skip(kDeepestAnswer);
    *wanted = TRY(reader.text());
    return {};
  }));
  return error;
}

}  // namespace vouch::wire
