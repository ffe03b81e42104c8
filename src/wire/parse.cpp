#include "wire/parse.h"

#include "base/encoding.h"
#include "wire/parse_body.h"
#include "wire/parse_error.h"
#include "wire/percent.h"

#include <simdjson.h>

namespace vouch::wire {
namespace {

constexpr int kFirstErrorStatus = 301;  // as botocore has it

bool is_rest(Protocol protocol) { return protocol == Protocol::rest_json || protocol == Protocol::rest_xml; }

bool has_body_members(const Shape& shape) {
  return std::any_of(shape.members.begin(), shape.members.end(),
                     [](const Member& m) { return m.location == Location::body && !m.event_stream; });
}

Result<> read_body_of(const Service& service, const Member& use, std::string_view body, Json& out) {
  switch (service.protocol) {
    case Protocol::json:
    case Protocol::rest_json: return read_json(use, body, out);
    case Protocol::cbor: return read_cbor(use, body, out);
    case Protocol::rest_xml: return read_xml(use, body, "", "", out);
    case Protocol::query:
    case Protocol::ec2: return read_xml(use, body, "Response", use.result_wrapper, out);
  }
  return {};
}

Result<> read_header_member(const Member& member, const std::string& text, Json& out) {
  if (member.jsonvalue) {
    const auto bytes = TRY(parse_base64(text));
    out = TRY(parse_json(text_of(bytes), kDeepestAnswer));
    return {};
  }
  if (member.shape->kind != Kind::list) return read_scalar(member, text, out);
  auto& list = out.emplace_array();
  std::string_view rest = text;
  for (;;) {
    const auto comma = rest.find(',');
    auto item = rest.substr(0, comma);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    TRY(read_scalar(*member.shape->element, item, list.emplace_back(nullptr)));
    if (comma == std::string_view::npos) return {};
    rest.remove_prefix(comma + 1);
  }
}

bool starts_with_ignoring_case(std::string_view text, std::string_view prefix) {
  if (text.size() < prefix.size()) return false;
  return std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
    return std::tolower(static_cast<unsigned char>(a)) == std::tolower(static_cast<unsigned char>(b));
  });
}

Result<> read_headers(const Shape& shape, int status, const Headers& headers, json::object& out) {
  for (const auto& member : shape.members) {
    if (member.location == Location::status_code) out[member.name] = status;
    if (member.location == Location::header) {
      const auto* text = find_header(headers, member.wire_name());
      if (!text || !simdjson::validate_utf8(*text)) continue;
      auto& slot = out[member.name];
      TRY_WITHIN(read_header_member(member, *text, slot), "header `{}`", member.wire_name());
      if (slot.is_null()) out.erase(member.name);
    }
    if (member.location == Location::headers && !headers.empty()) {
      auto& map = out[member.name].emplace_object();
      for (const auto& [name, text] : headers)
        if (starts_with_ignoring_case(name, member.location_name) && simdjson::validate_utf8(text))
          map[name.substr(member.location_name.size())] = text;
    }
  }
  return {};
}

Result<> read_payload(const Service& service, const Member& member, std::string_view body, json::object& out) {
  if (member.event_stream) return fail(Errc::unsupported, "the answer is an event stream");
  if (member.shape->kind == Kind::blob) {
    out[member.name] = to_base64(bytes_of(body));
  } else if (member.shape->kind == Kind::string) {
    if (!simdjson::validate_utf8(body.data(), body.size())) return fail(Errc::malformed, "not UTF-8");
    out[member.name] = body;
  } else if (!body.empty()) {
    TRY(read_body_of(service, member, body, out[member.name]));
  }
  return {};
}

// S3 encodes keys in listings because XML cannot hold all of them; see serialise.cpp. A blank is a plus there.
void decode_text(Json& value) {
  if (!value.is_string()) return;
  std::string text{value.get_string()};
  std::replace(text.begin(), text.end(), '+', ' ');
  auto decoded = percent_decode(text);
  if (decoded && simdjson::validate_utf8(*decoded)) value = *decoded;
}

void decode_listing(json::object& listing) {
  const auto* encoding = listing.if_contains("EncodingType");
  if (!encoding || !encoding->is_string() || encoding->get_string() != "url") return;
  for (const std::string_view name : {"Delimiter", "Marker", "NextMarker", "Prefix", "StartAfter", "KeyMarker", "NextKeyMarker"})
    if (auto* value = listing.if_contains(name)) decode_text(*value);
  for (const auto& [list, key] : {std::pair<std::string_view, std::string_view>{"Contents", "Key"},
                                  {"Versions", "Key"},
                                  {"DeleteMarkers", "Key"},
                                  {"Uploads", "Key"},
                                  {"CommonPrefixes", "Prefix"}}) {
    auto* items = listing.if_contains(list);
    if (!items || !items->is_array()) continue;
    for (auto& item : items->get_array())
      if (auto* value = item.is_object() ? item.get_object().if_contains(key) : nullptr) decode_text(*value);
  }
}

Result<> read_success(const Service& service, const Operation& operation, int status, const Headers& headers, std::string_view body,
                      Json& out) {
  auto& object = out.emplace_object();
  const auto& output = operation.output;
  if (!output.shape) {
    if (service.protocol == Protocol::query || service.protocol == Protocol::ec2) {
      static const Shape nothing;
      Member none;
      none.shape = &nothing;
      return read_xml(none, body, "Response", "", out);
    }
    return {};
  }
  if (service.name == "s3" && operation.name == "GetBucketLocation") {
    if (auto region = TRY(read_xml_root_text(body)); !region.empty()) object["LocationConstraint"] = region;
    return {};
  }
  if (!is_rest(service.protocol)) {
    if (body.empty() && output.shape->members.empty()) return {};
    return read_body_of(service, output, body, out);
  }
  if (!output.shape->payload.empty()) {
    const auto* member = output.shape->find(output.shape->payload);
    if (!member) return fail(Errc::malformed, "the model's payload `{}` is no member", output.shape->payload);
    TRY(read_payload(service, *member, body, object));
  } else if (has_body_members(*output.shape) && status != 204 && operation.http_method != "HEAD") {
    TRY(read_body_of(service, output, body, out));
    if (service.name == "s3") decode_listing(out.get_object());
  }
  return read_headers(*output.shape, status, headers, out.get_object());
}

}  // namespace

Result<Parsed> parse_answer(const Service& service, const Operation& operation, int status, const Headers& headers, std::string_view body,
                            json::storage_ptr storage) {
  Parsed parsed{Json(json::object_kind, storage), std::nullopt};
  if (status >= kFirstErrorStatus || (service.protocol == Protocol::rest_xml && is_xml_error(body))) {
    parsed.error = read_error(service, operation, status, headers, body);
    return parsed;
  }
  auto result = read_success(service, operation, status, headers, body, parsed.value);
  if (!result) return std::unexpected(std::move(result).error().within(fmt::format("{}:{} answer", service.name, operation.name)));
  return parsed;
}

}  // namespace vouch::wire
