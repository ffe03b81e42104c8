#include "wire/model_reader.h"

namespace vouch::wire {
namespace {

std::string text_or_empty(const Json& value, std::string_view key) {
  const auto* text = find_string(value, key);
  return text ? std::string{*text} : std::string{};
}

bool flag(const Json& value, std::string_view key) {
  const auto* member = find(value, key);
  return member && member->is_bool() && member->get_bool();
}

std::optional<Kind> kind_of(std::string_view type) {
  if (type == "structure") return Kind::structure;
  if (type == "list") return Kind::list;
  if (type == "map") return Kind::map;
  if (type == "string" || type == "character") return Kind::string;
  if (type == "blob") return Kind::blob;
  if (type == "boolean") return Kind::boolean;
  if (type == "integer" || type == "long" || type == "short" || type == "byte" || type == "bigInteger") return Kind::integer;
  if (type == "float" || type == "double" || type == "bigDecimal") return Kind::real;
  if (type == "timestamp") return Kind::timestamp;
  return std::nullopt;
}

void apply_location(Member& member, std::string_view location) {
  if (location == "uri") member.location = Location::uri;
  if (location == "querystring") member.location = Location::querystring;
  if (location == "header") member.location = Location::header;
  if (location == "headers") member.location = Location::headers;
  if (location == "statusCode") member.location = Location::status_code;
}

void apply_timestamp(Member& member, std::string_view format) {
  if (format == "iso8601") member.timestamp = TimestampFormat::iso8601;
  if (format == "rfc822") member.timestamp = TimestampFormat::rfc822;
  if (format == "unixTimestamp") member.timestamp = TimestampFormat::unix_seconds;
}

// Traits of a shape or of a use of it; called for the shape first, so that the use stands before it.
void apply_traits(Member& member, const Json& traits) {
  for (const auto& [key, value] : traits.as_object()) {
    const std::string_view name = key;
    const bool yes = value.is_bool() && value.get_bool();
    const std::string_view text = value.is_string() ? std::string_view{value.get_string()} : std::string_view{};
    if (name == "locationName") member.location_name = text;
    if (name == "queryName") member.query_name = text;
    if (name == "resultWrapper") member.result_wrapper = text;
    if (name == "location") apply_location(member, text);
    if (name == "timestampFormat") apply_timestamp(member, text);
    if (name == "flattened") member.flattened = yes;
    if (name == "xmlAttribute") member.xml_attribute = yes;
    if (name == "streaming") member.streaming = yes;
    if (name == "idempotencyToken") member.idempotency_token = yes;
    if (name == "jsonvalue") member.jsonvalue = yes;
    if (name == "hostLabel") member.host_label = yes;
    if (name == "eventstream") member.event_stream = yes;
    if (name == "contextParam") member.context_param = text_or_empty(value, "name");
    if (name == "xmlNamespace") {
      member.namespace_uri = value.is_string() ? std::string{value.get_string()} : text_or_empty(value, "uri");
      member.namespace_prefix = text_or_empty(value, "prefix");
    }
  }
}

class Reader {
 public:
  Reader(Service& service, const json::object& shapes) : service_(service), shapes_(shapes) {}

  Result<> read_shapes() {
    for (const auto& [name, description] : shapes_) {
      const auto kind = kind_of(TRY_WITHIN(require_string(description, "type"), "shape `{}`", std::string_view{name}));
      if (!kind) return fail(Errc::unsupported, "shape `{}`: type `{}`", std::string_view{name}, text_or_empty(description, "type"));
      auto shape = std::make_unique<Shape>();
      shape->name = name;
      shape->kind = *kind;
      service_.shapes.emplace(name, std::move(shape));
    }
    for (const auto& [name, description] : shapes_)
      TRY_WITHIN(fill(*service_.shapes.at(name), description), "shape `{}`", std::string_view{name});
    return {};
  }

  Result<Member> use(const Json& reference, std::string name = {}) {
    const auto shape_name = TRY_WITHIN(require_string(reference, "shape"), "member `{}`", name);
    const auto at = shapes_.find(shape_name);
    if (at == shapes_.end()) return fail(Errc::malformed, "member `{}`: no shape `{}`", name, shape_name);
    Member member;
    member.name = std::move(name);
    member.shape = service_.shapes.at(std::string{shape_name}).get();
    apply_traits(member, at->value());
    apply_traits(member, reference);
    return member;
  }

 private:
  Result<> fill(Shape& shape, const Json& description) {
    shape.single_precision = text_or_empty(description, "type") == "float";
    shape.is_exception = flag(description, "exception");
    shape.is_union = flag(description, "union");
    shape.is_document = flag(description, "document");
    shape.payload = text_or_empty(description, "payload");
    if (const auto* error = find(description, "error")) {
      shape.error_code = text_or_empty(*error, "code");
      const auto* status = find(*error, "httpStatusCode");
      if (status && status->is_int64()) shape.error_status = static_cast<int>(status->get_int64());
    }
    if (const auto* required = find_array(description, "required"))
      for (const auto& name : *required)
        if (name.is_string()) shape.required.emplace_back(name.get_string());

    if (shape.kind == Kind::structure) {
      if (const auto* members = find_object(description, "members")) {
        shape.members.reserve(members->size());
        for (const auto& [name, reference] : *members) shape.members.push_back(TRY(use(reference, name)));
      }
    } else if (shape.kind == Kind::list) {
      const auto* element = find(description, "member");
      if (!element) return fail(Errc::malformed, "a list without member");
      shape.element = std::make_unique<Member>(TRY(use(*element)));
    } else if (shape.kind == Kind::map) {
      const auto *key = find(description, "key"), *value = find(description, "value");
      if (!key || !value) return fail(Errc::malformed, "a map without key or value");
      shape.key = std::make_unique<Member>(TRY(use(*key)));
      shape.value = std::make_unique<Member>(TRY(use(*value)));
    }
    return {};
  }

  Service& service_;
  const json::object& shapes_;
};

// By what name the answers' bodies have each member. In XML a flattened list goes by its element's name, where that has one; CBOR
// knows the model's names only.
const std::string& name_in_answers(Protocol protocol, const Member& member) {
  if (protocol == Protocol::cbor) return member.name;
  const bool is_xml = protocol == Protocol::query || protocol == Protocol::ec2 || protocol == Protocol::rest_xml;
  const bool by_element = is_xml && member.flattened && member.shape->kind == Kind::list && !member.shape->element->location_name.empty();
  return by_element ? member.shape->element->location_name : member.wire_name();
}

void index_wire_names(Service& service) {
  for (auto& [name, shape] : service.shapes) {
    for (auto& member : shape->members) {
      if (member.location != Location::body) continue;
      const auto [at, is_new] = shape->by_wire_name.emplace(name_in_answers(service.protocol, member), &member);
      if (!is_new) member.twin = std::exchange(at->second, &member);
    }
  }
}

std::vector<std::string> texts(const Json* value) {
  std::vector<std::string> out;
  if (value && value->is_string()) out.emplace_back(value->get_string());
  if (value && value->is_array())
    for (const auto& item : value->get_array())
      if (item.is_string()) out.emplace_back(item.get_string());
  return out;
}

Result<std::unique_ptr<Paginator>> read_paginator(const Json& description) {
  auto paginator = std::make_unique<Paginator>();
  paginator->input_tokens = texts(find(description, "input_token"));
  paginator->output_tokens = texts(find(description, "output_token"));
  paginator->result_keys = texts(find(description, "result_key"));
  paginator->more_results = text_or_empty(description, "more_results");
  paginator->limit_key = text_or_empty(description, "limit_key");
  if (paginator->input_tokens.empty() || paginator->input_tokens.size() != paginator->output_tokens.size())
    return fail(Errc::malformed, "input_token and output_token do not pair up");
  return paginator;
}

bool is_unsigned(const Json& description) {
  if (const auto* auth = find_array(description, "auth"))
    for (const auto& scheme : *auth)
      if (scheme.is_string() && scheme.get_string() == "smithy.api#noAuth") return true;
  return text_or_empty(description, "authtype") == "none";
}

Result<std::unique_ptr<Operation>> read_operation(std::string name, const Json& description, Reader& reader) {
  auto operation = std::make_unique<Operation>();
  operation->name = std::move(name);
  if (const auto* http = find(description, "http")) {
    if (const auto* method = find_string(*http, "method")) operation->http_method = *method;
    if (const auto* uri = find_string(*http, "requestUri")) operation->request_uri = *uri;
  }
  if (const auto* input = find(description, "input")) operation->input = TRY(reader.use(*input));
  if (const auto* output = find(description, "output")) operation->output = TRY(reader.use(*output));
  if (const auto* errors = find_array(description, "errors"))
    for (const auto& error : *errors) operation->errors.push_back(TRY(reader.use(error)).shape);
  if (const auto* endpoint = find(description, "endpoint")) operation->host_prefix = text_or_empty(*endpoint, "hostPrefix");
  operation->unsigned_request = is_unsigned(description);
  if (const auto* checksum = find(description, "httpChecksum")) operation->checksum_required = flag(*checksum, "requestChecksumRequired");
  operation->checksum_required = operation->checksum_required || flag(description, "httpChecksumRequired");
  if (const auto* fixed = find_object(description, "staticContextParams"))
    for (const auto& [key, param] : *fixed)
      if (const auto* value = find(param, "value")) operation->static_context.emplace(key, *value);
  return operation;
}

std::optional<Protocol> protocol_named(std::string_view name) {
  if (name == "query") return Protocol::query;
  if (name == "ec2") return Protocol::ec2;
  if (name == "json") return Protocol::json;
  if (name == "rest-json") return Protocol::rest_json;
  if (name == "rest-xml") return Protocol::rest_xml;
  if (name == "smithy-rpc-v2-cbor") return Protocol::cbor;
  return std::nullopt;
}

// Many services now list CBOR first although they speak JSON too: text stays readable in a ledger, so CBOR comes last.
std::optional<Protocol> choose_protocol(const Json& metadata) {
  auto spoken = texts(find(metadata, "protocols"));
  if (spoken.empty()) spoken = texts(find(metadata, "protocol"));
  for (const std::string_view ours : {"json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"})
    if (std::find(spoken.begin(), spoken.end(), ours) != spoken.end()) return protocol_named(ours);
  return std::nullopt;
}

Result<> read_metadata(Service& service, const Json& metadata) {
  const auto protocol = choose_protocol(metadata);
  if (!protocol) return fail(Errc::unsupported, "none of its protocols is known (`{}`)", text_or_empty(metadata, "protocol"));
  service.protocol = *protocol;
  service.api_version = text_or_empty(metadata, "apiVersion");
  service.endpoint_prefix = text_or_empty(metadata, "endpointPrefix");
  service.signing_name = text_or_empty(metadata, "signingName");
  if (service.signing_name.empty()) service.signing_name = service.endpoint_prefix;
  service.service_id = text_or_empty(metadata, "serviceId");
  service.global_endpoint = text_or_empty(metadata, "globalEndpoint");
  service.target_prefix = text_or_empty(metadata, "targetPrefix");
  service.json_version = text_or_empty(metadata, "jsonVersion");
  if (service.json_version.empty()) service.json_version = "1.0";
  service.namespace_uri = text_or_empty(metadata, "xmlNamespace");
  service.query_compatible = find(metadata, "awsQueryCompatible") != nullptr;
  return {};
}

}  // namespace

const Member* Shape::find(std::string_view member_name) const {
  for (const auto& member : members)
    if (member.name == member_name) return &member;
  return nullptr;
}

Result<const Operation*> Service::operation(std::string_view operation_name) const {
  const auto at = operations.find(operation_name);
  if (at == operations.end()) return fail(Errc::not_found, "the model of service `{}` has no operation `{}`", name, operation_name);
  return at->second.get();
}

Result<std::unique_ptr<Service>> read_model(std::string name, const Json& model) {
  auto service = std::make_unique<Service>();
  service->name = std::move(name);
  const auto* metadata = find(model, "metadata");
  const auto* shapes = find_object(model, "shapes");
  const auto* operations = find_object(model, "operations");
  if (!metadata || !shapes || !operations) return fail(Errc::malformed, "no metadata, operations or shapes");
  TRY(read_metadata(*service, *metadata));
  Reader reader{*service, *shapes};
  TRY(reader.read_shapes());
  index_wire_names(*service);
  const auto* pagination = find_object(model, "pagination");
  for (const auto& [operation_name, description] : *operations) {
    auto operation = TRY_WITHIN(read_operation(operation_name, description, reader), "operation `{}`", std::string_view{operation_name});
    if (const auto* paginator = pagination ? pagination->if_contains(operation_name) : nullptr)
      operation->paginator = TRY_WITHIN(read_paginator(*paginator), "paginator of `{}`", std::string_view{operation_name});
    service->operations.emplace(operation_name, std::move(operation));
  }
  if (const auto* rules = find(model, "rules")) service->endpoint_rules = *rules;
  return service;
}

}  // namespace vouch::wire
