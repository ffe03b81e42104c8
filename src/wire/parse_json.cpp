#include "wire/parse_body.h"

#include <simdjson.h>
#include <cmath>

namespace vouch::wire {
namespace {

using simdjson::dom::element;
using simdjson::dom::element_type;

constexpr double kLargestExact = 9007199254740992;  // 2^53

Result<element> parse(simdjson::dom::parser& parser, std::string_view body) {
  if (parser.allocate(body.size(), kDeepestAnswer) != simdjson::SUCCESS)
    return fail(Errc::limit, "no memory for a body of {} bytes", body.size());
  element root;
  if (const auto error = parser.parse(body.data(), body.size()).get(root); error != simdjson::SUCCESS)
    return fail(Errc::malformed, "not JSON: {}", simdjson::error_message(error));
  if (!root.is_object()) return fail(Errc::malformed, "JSON, but no object");
  return root;
}

void copy_free(element value, Json& out) {
  switch (value.type()) {
    case element_type::ARRAY: {
      auto& array = out.emplace_array();
      const auto items = value.get_array().value_unsafe();
      for (const element item : items) copy_free(item, array.emplace_back(nullptr));
      return;
    }
    case element_type::OBJECT: {
      auto& object = out.emplace_object();
      const auto fields = value.get_object().value_unsafe();
      for (const auto field : fields) copy_free(field.value, object[field.key]);
      return;
    }
    case element_type::STRING: out.emplace_string().assign(value.get_string().value_unsafe()); return;
    case element_type::INT64: out = value.get_int64().value_unsafe(); return;
    case element_type::UINT64: out = value.get_uint64().value_unsafe(); return;
    case element_type::DOUBLE: put_real(value.get_double().value_unsafe(), out); return;
    case element_type::BOOL: out = value.get_bool().value_unsafe(); return;
    case element_type::NULL_VALUE: out = nullptr; return;
  }
}

Result<> read(const Member& use, element value, Json& out);

Result<> read_structure(const Shape& shape, element value, Json& out) {
  if (shape.is_document) return copy_free(value, out), Result<>{};
  if (!value.is_object()) return fail(Errc::malformed, "no object where `{}` is due", shape.name);
  auto& object = out.emplace_object();
  const auto fields = value.get_object().value_unsafe();
  for (const auto field : fields) {
    const auto at = shape.by_wire_name.find(field.key);
    if (at == shape.by_wire_name.end() || field.value.is_null()) continue;
    auto& slot = object[at->second->name];
    auto result = read(*at->second, field.value, slot);
    if (!result) return std::unexpected(std::move(result).error().within(at->second->name));
    if (slot.is_null()) object.erase(at->second->name);
  }
  return {};
}

// Services write numbers as texts and the other way round; what is clear is taken, what is not is passed on as it came.
Result<> read_number(const Member& use, element value, Json& out) {
  if (value.is_string()) return read_scalar(use, value.get_string().value_unsafe(), out);
  copy_free(value, out);
  if (use.shape->kind == Kind::integer && out.is_double() && std::trunc(out.get_double()) == out.get_double() &&
      std::abs(out.get_double()) <= kLargestExact)
    out = static_cast<std::int64_t>(out.get_double());
  if (!out.is_number()) return fail(Errc::malformed, "no number where one is due");
  return {};
}

Result<> read(const Member& use, element value, Json& out) {
  switch (use.shape->kind) {
    case Kind::structure: return read_structure(*use.shape, value, out);
    case Kind::list: {
      if (!value.is_array()) return fail(Errc::malformed, "no list where `{}` is due", use.shape->name);
      auto& array = out.emplace_array();
      const auto items = value.get_array().value_unsafe();
      for (const element item : items) {
        auto& slot = array.emplace_back(nullptr);
        if (!item.is_null()) TRY(read(*use.shape->element, item, slot));
      }
      return {};
    }
    case Kind::map: {
      if (!value.is_object()) return fail(Errc::malformed, "no object where `{}` is due", use.shape->name);
      auto& object = out.emplace_object();
      const auto fields = value.get_object().value_unsafe();
      for (const auto field : fields) {
        if (field.value.is_null()) continue;
        TRY(read(*use.shape->value, field.value, object[field.key]));
      }
      return {};
    }
    case Kind::integer:
    case Kind::real: return read_number(use, value, out);
    case Kind::timestamp:
      if (value.is_string()) {
        const std::string_view text = value.get_string().value_unsafe();
        return text.empty() ? Result<>{} : put_timestamp(text, out);
      }
      if (double seconds = 0; value.get_double().get(seconds) == simdjson::SUCCESS) return put_timestamp(seconds, out);
      return fail(Errc::malformed, "no timestamp where one is due");
    case Kind::boolean:
      if (value.is_string()) return read_scalar(use, value.get_string().value_unsafe(), out);
      if (!value.is_bool()) return fail(Errc::malformed, "no boolean where one is due");
      out = value.get_bool().value_unsafe();
      return {};
    case Kind::string:
    case Kind::blob: copy_free(value, out); return {};
  }
  return {};
}

std::string text_member(element object, std::string_view key) {
  std::string_view text;
  return object[key].get_string().get(text) == simdjson::SUCCESS ? std::string{text} : std::string{};
}

}  // namespace

Result<> read_json(const Member& use, std::string_view body, Json& out) {
  simdjson::dom::parser parser;
  return read(use, TRY(parse(parser, body)), out);
}

Result<TypedError> read_json_error(std::string_view body) {
  if (body.empty()) return TypedError{};
  simdjson::dom::parser parser;
  const auto root = TRY(parse(parser, body));
  TypedError error{text_member(root, "__type"), text_member(root, "code"), text_member(root, "message")};
  if (error.code.empty()) error.code = text_member(root, "Code");
  if (error.message.empty()) error.message = text_member(root, "Message");
  return error;
}

}  // namespace vouch::wire
