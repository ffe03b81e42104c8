#include "wire/serialise.h"

#include "base/encoding.h"
#include "wire/percent.h"
#include "wire/serialise_body.h"
#include "wire/timestamp.h"

#include <openssl/md5.h>
#include <openssl/rand.h>

namespace vouch::wire {
namespace {

std::string random_uuid() {
  std::array<unsigned char, 16> bytes{};
  RAND_bytes(bytes.data(), bytes.size());
  bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);
  const auto hex = to_hex(ByteView{bytes});
  return fmt::format("{}-{}-{}-{}-{}", hex.substr(0, 8), hex.substr(8, 4), hex.substr(12, 4), hex.substr(16, 4), hex.substr(20));
}

// What botocore's handlers add to params before they are serialised, as far as reads need it.
Json completed(const Service& service, const Operation& operation, const Json& given) {
  Json params = given.is_null() ? Json(json::object()) : given;
  if (!params.is_object() || !operation.input.shape) return params;
  auto& object = params.get_object();
  for (const auto& member : operation.input.shape->members)
    if (member.idempotency_token && !find(params, member.name)) object[member.name] = random_uuid();
  if (service.name == "s3" && operation.input.shape->find("EncodingType") && operation.name.starts_with("List") &&
      !object.contains("EncodingType"))
    object["EncodingType"] = "url";  // keys may hold what XML cannot
  if (service.name == "route53") {
    for (const auto& member : operation.input.shape->members) {
      const auto& shape = member.shape->name;
      if (shape != "ResourceId" && shape != "DelegationSetId" && shape != "ChangeId") continue;
      auto* value = object.if_contains(member.name);
      if (!value || !value->is_string()) continue;
      const std::string_view id = value->get_string();  // "/hostedzone/Z123": answers have it so, requests must not
      *value = json::string{id.substr(id.rfind('/') == std::string_view::npos ? 0 : id.rfind('/') + 1)};
    }
  }
  return params;
}

Result<std::string> expand_host_prefix(const Operation& operation, const Json& params) {
  auto prefix = operation.host_prefix;
  if (prefix.empty() || !operation.input.shape) return prefix;
  for (const auto& member : operation.input.shape->members) {
    if (!member.host_label) continue;
    const auto label = fmt::format("{{{}}}", member.name);
    const auto at = prefix.find(label);
    const auto* value = find_string(params, member.name);
    if (at == std::string::npos) continue;
    const auto allowed = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '-'; };
    if (!value || value->empty() || !std::all_of(value->begin(), value->end(), allowed))
      return fail(Errc::usage, "param `{}` must be a host name's label", member.name);
    prefix.replace(at, label.size(), *value);
  }
  return prefix;
}

class RestWriter {
 public:
  RestWriter(const Service& service, const Operation& operation, const Json& params, Request& request)
      : service_(service), operation_(operation), params_(params), request_(request) {}

  Result<> write() {
    request_.method = operation_.http_method;
    std::string_view uri = operation_.request_uri;
    const auto question = uri.find('?');
    request_.path = TRY(rendered(uri.substr(0, question)));
    if (question != std::string_view::npos) request_.query = TRY(rendered(uri.substr(question + 1)));
    if (!operation_.input.shape) return {};
    for (const auto& member : operation_.input.shape->members) {
      const auto* value = find(params_, member.name);
      if (value) TRY(place(member, *value));
    }
    return write_body();
  }

 private:
  // Labels replaced: `{Name}` percent-encoded whole, `{Name+}` keeps its slashes.
  Result<std::string> rendered(std::string_view uri) {
    std::string out;
    while (!uri.empty()) {
      const auto open = uri.find('{');
      out += uri.substr(0, open);
      if (open == std::string_view::npos) break;
      const auto close = uri.find('}', open);
      if (close == std::string_view::npos) return fail(Errc::malformed, "the model's URI `{}` lacks a brace", operation_.request_uri);
      auto label = uri.substr(open + 1, close - open - 1);
      const bool greedy = label.ends_with('+');
      if (greedy) label.remove_suffix(1);
      out += percent_encode(TRY(label_text(label)), greedy ? "/" : "");
      uri.remove_prefix(close + 1);
    }
    return out;
  }

  Result<std::string> label_text(std::string_view label) {
    if (operation_.input.shape) {
      for (const auto& member : operation_.input.shape->members) {
        if (member.location != Location::uri || member.wire_name() != label) continue;
        const auto* value = find(params_, member.name);
        if (!value) return fail(Errc::usage, "param `{}` is missing", member.name);
        auto text = TRY(scalar_text(member, *value, TimestampFormat::iso8601, {ParamPath{}, member.name}));
        if (text.empty()) return fail(Errc::usage, "param `{}` must not be empty: it is part of the path", member.name);
        return text;
      }
    }
    return fail(Errc::malformed, "the model's URI `{}` names a label that no member has", operation_.request_uri);
  }

  void add_query(std::string_view key, std::string_view value) {
    if (!request_.query.empty()) request_.query += '&';
    request_.query.append(percent_encode(key)).append("=").append(percent_encode(value));
  }

  Result<> place(const Member& member, const Json& value) {
    const ParamPath root, path{root, member.name};
    switch (member.location) {
      case Location::querystring: return place_in_query(member, value, path);
      case Location::header: return place_in_header(member, value, path);
      case Location::headers:
        for (const auto& [key, text] : value.get_object())
          request_.headers.emplace_back(member.location_name + std::string{key}, TRY(header_text(*member.shape->value, text, path)));
        return {};
      case Location::uri:
      case Location::status_code: return {};
      case Location::body: has_body_params_ = true; return {};
    }
    return {};
  }

  Result<> place_in_query(const Member& member, const Json& value, const ParamPath& path) {
    if (value.is_array()) {
      for (const auto& element : value.get_array())
        add_query(member.wire_name(), TRY(scalar_text(*member.shape->element, element, TimestampFormat::iso8601, path)));
      return {};
    }
    if (!value.is_object())
      return add_query(member.wire_name(), TRY(scalar_text(member, value, TimestampFormat::iso8601, path))), Result<>{};
    for (const auto& [key, item] : value.get_object()) {
      if (item.is_array()) {
        for (const auto& element : item.get_array())
          add_query(key, TRY(scalar_text(*member.shape->value->shape->element, element, TimestampFormat::iso8601, path)));
      } else {
        add_query(key, TRY(scalar_text(*member.shape->value, item, TimestampFormat::iso8601, path)));
      }
    }
    return {};
  }

  static Result<std::string> header_text(const Member& member, const Json& value, const ParamPath& path) {
    if (member.jsonvalue) return to_base64(bytes_of(TRY(canonical(value))));
    auto text = TRY(scalar_text(member, value, TimestampFormat::rfc822, path));
    if (text.find_first_of("\r\n") != std::string::npos || text.find('\0') != std::string::npos)
      return fail(Errc::usage, "param `{}` holds a line break, which no header may", path.text());
    return text;
  }

  Result<> place_in_header(const Member& member, const Json& value, const ParamPath& path) {
    if (!value.is_array()) return request_.headers.emplace_back(member.wire_name(), TRY(header_text(member, value, path))), Result<>{};
    std::string joined;
    for (const auto& element : value.get_array()) {
      auto text = TRY(header_text(*member.shape->element, element, path));
      if (text.find_first_of(",\"") != std::string::npos && member.shape->element->shape->kind == Kind::string) {
        std::string quoted;
        for (const char c : text) quoted += c == '"' ? std::string{"\\\""} : std::string{c};
        text = '"' + quoted + '"';
      }
      joined += (joined.empty() ? "" : ",") + text;
    }
    if (!value.get_array().empty()) request_.headers.emplace_back(member.wire_name(), std::move(joined));
    return {};
  }

  Result<> write_body() {
    const auto& shape = *operation_.input.shape;
    const bool is_json = service_.protocol == Protocol::rest_json;
    if (!shape.payload.empty()) {
      const auto* member = shape.find(shape.payload);
      if (!member) return fail(Errc::malformed, "the model's payload `{}` is no member", shape.payload);
      const auto* value = find(params_, shape.payload);
      if (member->shape->kind == Kind::blob || member->shape->kind == Kind::string) {
        if (value && member->shape->kind == Kind::blob)
          request_.body = text_of(TRY_WITHIN(parse_base64(value->get_string()), "param `{}`", member->name));
        else if (value)
          request_.body = value->get_string();
        return {};
      }
      if (value) TRY(write_structure(*member, member->wire_name(), *value));
      if (!value && is_json) request_.body = "{}";
    } else if (has_body_params_) {
      json::object body;
      for (const auto& member : shape.members)
        if (const auto* value = find(params_, member.name); value && member.location == Location::body) body[member.name] = *value;
      TRY(write_structure(operation_.input, operation_.input.location_name, Json(std::move(body))));
    } else if (is_json && std::any_of(shape.members.begin(), shape.members.end(),
                                      [](const Member& member) { return member.location == Location::body; })) {
      request_.body = "{}";
    }
    if (is_json && !request_.body.empty() && !find_header(request_.headers, "Content-Type"))
      request_.headers.emplace_back("Content-Type", "application/json");
    return {};
  }

  Result<> write_structure(const Member& use, const std::string& root, const Json& value) {
    if (service_.protocol == Protocol::rest_json)
      request_.body = TRY(json_body(use, value));
    else
      request_.body = TRY(xml_body(use, root.empty() ? use.shape->name : root, value));
    return {};
  }

  const Service& service_;
  const Operation& operation_;
  const Json& params_;
  Request& request_;
  bool has_body_params_ = false;
};

// S3 asks for a digest of some bodies; Content-MD5 is the one that every S3 there is understands.
void add_checksum(const Operation& operation, Request& request) {
  if (!operation.checksum_required || find_header(request.headers, "Content-MD5")) return;
  for (const auto& [name, value] : request.headers)
    if (name.starts_with("x-amz-checksum-")) return;
  std::array<unsigned char, 16> digest{};
  std::size_t size = digest.size();
  EVP_Q_digest(nullptr, "MD5", nullptr, request.body.data(), request.body.size(), digest.data(), &size);
  request.headers.emplace_back("Content-MD5", to_base64(ByteView{digest}));
}

Result<Request> serialised(const Service& service, const Operation& operation, const Json& params) {
  Request request;
  switch (service.protocol) {
    case Protocol::query:
    case Protocol::ec2:
      request.method = operation.http_method;
      request.headers.emplace_back("Content-Type", "application/x-www-form-urlencoded; charset=utf-8");
      request.body = TRY(query_body(service, operation, params));
      break;
    case Protocol::json:
      request.method = operation.http_method;
      request.headers.emplace_back("X-Amz-Target", fmt::format("{}.{}", service.target_prefix, operation.name));
      request.headers.emplace_back("Content-Type", fmt::format("application/x-amz-json-{}", service.json_version));
      if (service.query_compatible) request.headers.emplace_back("x-amzn-query-mode", "true");
      request.body = operation.input.shape ? TRY(json_body(operation.input, params)) : "{}";
      break;
    case Protocol::cbor:
      request.method = "POST";
      request.path = fmt::format("/service/{}/operation/{}", service.target_prefix, operation.name);
      request.headers.emplace_back("smithy-protocol", "rpc-v2-cbor");
      request.headers.emplace_back("Accept", "application/cbor");
      if (service.query_compatible) request.headers.emplace_back("x-amzn-query-mode", "true");
      if (operation.input.shape) {
        request.body = TRY(cbor_body(operation.input, params));
        request.headers.emplace_back("Content-Type", "application/cbor");
      }
      break;
    case Protocol::rest_json:
    case Protocol::rest_xml: {
      RestWriter writer{service, operation, params, request};
      TRY(writer.write());
      break;
    }
  }
  if (service.name == "apigateway" && !find_header(request.headers, "Accept")) set_header(request.headers, "Accept", "application/json");
  if (service.name == "glacier") request.headers.emplace_back("x-amz-glacier-version", service.api_version);
  add_checksum(operation, request);
  request.host_prefix = TRY(expand_host_prefix(operation, params));
  return request;
}

}  // namespace

Result<Request> serialise(const Service& service, const Operation& operation, const Json& given) {
  const auto context = [&] { return fmt::format("{}:{}", service.name, operation.name); };
  const auto params = completed(service, operation, given);
  if (!params.is_object()) return fail(Errc::usage, "{}: params must be an object", context());
  if (!operation.input.shape && !params.get_object().empty()) return fail(Errc::usage, "{}: takes no params", context());
  if (operation.input.shape) TRY_WITHIN(check_param(operation.input, params, {}), "{}", context());
  return TRY_WITHIN(serialised(service, operation, params), "{}", context());
}

}  // namespace vouch::wire
