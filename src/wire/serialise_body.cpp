#include "wire/serialise_body.h"

#include "base/encoding.h"
#include "wire/cbor.h"
#include "wire/parse.h"
#include "wire/percent.h"
#include "wire/timestamp.h"

#include <cmath>
#include <limits>

namespace vouch::wire {
namespace {

std::string_view kind_name(Kind kind) {
  switch (kind) {
    case Kind::structure: return "an object";
    case Kind::list: return "a list";
    case Kind::map: return "a map";
    case Kind::string: return "text";
    case Kind::blob: return "base64 text";
    case Kind::boolean: return "a boolean";
    case Kind::integer: return "an integer";
    case Kind::real: return "a number";
    case Kind::timestamp: return "an instant (RFC 3339 text or epoch seconds)";
  }
  return "";
}

bool is_of_kind(const Json& value, Kind kind) {
  switch (kind) {
    case Kind::structure:
    case Kind::map: return value.is_object();
    case Kind::list: return value.is_array();
    case Kind::string:
    case Kind::blob: return value.is_string();
    case Kind::boolean: return value.is_bool();
    case Kind::integer: return value.is_int64() || value.is_uint64();
    case Kind::real: return value.is_number() || value.is_string();
    case Kind::timestamp: return value.is_string() || value.is_number();
  }
  return false;
}

std::string real_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  auto text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

// Members of a structure that are given, each with its param; null counts as not given.
template <class Visit>
Result<> each_given(const Shape& shape, const json::object& params, Visit visit) {
  for (const auto& [name, value] : params) {
    if (value.is_null()) continue;
    TRY(visit(*shape.find(name), value));
  }
  return {};
}

// ---- query, ec2 ----

class QueryWriter {
 public:
  explicit QueryWriter(bool ec2) : ec2_(ec2) {}

  void pair(std::string_view key, std::string_view value) {
    if (!out_.empty()) out_ += '&';
    out_ += percent_encode(key);
    out_ += '=';
    out_ += form_encode(value);
  }

  Result<> write(const Member& use, const Json& value, const std::string& prefix, const ParamPath& path) {
    switch (use.shape->kind) {
      case Kind::structure:
        return each_given(*use.shape, value.get_object(), [&](const Member& member, const Json& given) {
          const auto name = key_of(member, member.name);
          return write(member, given, prefix.empty() ? name : prefix + "." + name, {path, member.name});
        });
      case Kind::list: return write_list(use, value.get_array(), prefix, path);
      case Kind::map: return write_map(use, value.get_object(), prefix, path);
      default: break;
    }
    pair(prefix, TRY(scalar_text(use, value, TimestampFormat::iso8601, path)));
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  // In a form's values a blank is a plus; botocore's urlencode writes it so.
  static std::string form_encode(std::string_view value) {
    auto text = percent_encode(value, " ");
    std::replace(text.begin(), text.end(), ' ', '+');
    return text;
  }

  [[nodiscard]] std::string key_of(const Member& use, std::string_view otherwise) const {
    if (!ec2_) return use.location_name.empty() ? std::string{otherwise} : use.location_name;
    if (!use.query_name.empty()) return use.query_name;
    auto name = use.location_name.empty() ? std::string{otherwise} : use.location_name;
    if (!use.location_name.empty() && name[0] >= 'a' && name[0] <= 'z') name[0] = static_cast<char>(name[0] - 'a' + 'A');
    return name;
  }

  Result<> write_list(const Member& use, const json::array& elements, const std::string& prefix, const ParamPath& path) {
    const auto& element = *use.shape->element;
    auto list_prefix = prefix;
    if (!ec2_) {
      if (elements.empty()) return pair(prefix, ""), Result<>{};
      if (!use.flattened)
        list_prefix += "." + (element.location_name.empty() ? std::string{"member"} : element.location_name);
      else if (!element.location_name.empty())
        list_prefix = prefix.substr(0, prefix.rfind('.') == std::string::npos ? 0 : prefix.rfind('.') + 1) + element.location_name;
    }
    for (std::size_t i = 0; i < elements.size(); ++i) TRY(write(element, elements[i], fmt::format("{}.{}", list_prefix, i + 1), {path, i}));
    return {};
  }

  Result<> write_map(const Member& use, const json::object& entries, const std::string& prefix, const ParamPath& path) {
    const auto &key = *use.shape->key, &value = *use.shape->value;
    std::size_t i = 0;
    for (const auto& [name, given] : entries) {
      const auto entry = fmt::format("{}{}.{}.", prefix, use.flattened ? "" : ".entry", ++i);
      pair(entry + key_of(key, "key"), name);
      TRY(write(value, given, entry + key_of(value, "value"), {path, name}));
    }
    return {};
  }

  bool ec2_;
  std::string out_;
};

// ---- json ----

Result<Json> json_value(const Member& use, const Json& value, const ParamPath& path) {
  switch (use.shape->kind) {
    case Kind::structure: {
      if (use.shape->is_document) return value;
      json::object out;
      TRY(each_given(*use.shape, value.get_object(), [&](const Member& member, const Json& given) -> Result<> {
        out[member.wire_name()] = TRY(json_value(member, given, {path, member.name}));
        return {};
      }));
      return Json(std::move(out));
    }
    case Kind::list: {
      json::array out;
      for (std::size_t i = 0; i < value.get_array().size(); ++i)
        out.push_back(TRY(json_value(*use.shape->element, value.get_array()[i], {path, i})));
      return Json(std::move(out));
    }
    case Kind::map: {
      json::object out;
      for (const auto& [key, given] : value.get_object()) out[key] = TRY(json_value(*use.shape->value, given, {path, key}));
      return Json(std::move(out));
    }
    case Kind::timestamp: {
      const auto at = TRY(instant_param(value, path));
      const auto format = use.timestamp;
      if (format == TimestampFormat::by_protocol || format == TimestampFormat::unix_seconds) return to_epoch_seconds(at);
      return Json(to_text(at, format));
    }
    default: return value;
  }
}

// ---- rest-xml ----

void append_escaped(std::string& out, std::string_view text, bool in_attribute) {
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += in_attribute ? "&quot;" : "\""; break;
      case '\r': out += in_attribute ? "&#13;" : "\r"; break;
      case '\n': out += in_attribute ? "&#10;" : "\n"; break;
      default: out += c;
    }
  }
}

class XmlWriter {
 public:
  Result<> write(const Member& use, const std::string& name, const Json& value, const ParamPath& path) {
    switch (use.shape->kind) {
      case Kind::structure: return write_structure(use, name, value.get_object(), path);
      case Kind::list: return write_list(use, name, value.get_array(), path);
      case Kind::map: return write_map(use, name, value.get_object(), path);
      default: break;
    }
    open(name, use);
    append_escaped(out_, TRY(scalar_text(use, value, TimestampFormat::iso8601, path)), false);
    close(name);
    return {};
  }

  std::string take() { return std::move(out_); }

 private:
  void begin(const std::string& name, const Member& use) {
    out_ += '<';
    out_ += name;
    if (use.namespace_uri.empty()) return;
    out_ += use.namespace_prefix.empty() ? " xmlns=\"" : " xmlns:" + use.namespace_prefix + "=\"";
    append_escaped(out_, use.namespace_uri, true);
    out_ += '"';
  }
  void open(const std::string& name, const Member& use) {
    begin(name, use);
    out_ += '>';
  }
  void close(const std::string& name) { out_.append("</").append(name).append(">"); }

  Result<> write_structure(const Member& use, const std::string& name, const json::object& params, const ParamPath& path) {
    begin(name, use);
    TRY(each_given(*use.shape, params, [&](const Member& member, const Json& given) -> Result<> {
      if (!member.xml_attribute) return {};
      out_.append(" ").append(member.wire_name()).append("=\"");
      append_escaped(out_, TRY(scalar_text(member, given, TimestampFormat::iso8601, {path, member.name})), true);
      out_ += '"';
      return {};
    }));
    out_ += '>';
    TRY(each_given(*use.shape, params, [&](const Member& member, const Json& given) -> Result<> {
      if (member.xml_attribute || member.location != Location::body) return {};
      return write(member, member.wire_name(), given, {path, member.name});
    }));
    close(name);
    return {};
  }

  Result<> write_list(const Member& use, const std::string& name, const json::array& elements, const ParamPath& path) {
    const auto& element = *use.shape->element;
    const auto element_name = use.flattened ? name : element.location_name.empty() ? std::string{"member"} : element.location_name;
    if (!use.flattened) open(name, use);
    for (std::size_t i = 0; i < elements.size(); ++i) TRY(write(element, element_name, elements[i], {path, i}));
    if (!use.flattened) close(name);
    return {};
  }

  Result<> write_map(const Member& use, const std::string& name, const json::object& entries, const ParamPath& path) {
    const auto &key = *use.shape->key, &value = *use.shape->value;
    const std::string entry_name = use.flattened ? name : "entry";
    if (!use.flattened) open(name, use);
    for (const auto& [entry, given] : entries) {
      out_.append("<").append(entry_name).append(">");
      TRY(write(key, key.location_name.empty() ? "key" : key.location_name, Json(entry), {path, entry}));
      TRY(write(value, value.location_name.empty() ? "value" : value.location_name, given, {path, entry}));
      close(entry_name);
    }
    if (!use.flattened) close(name);
    return {};
  }

  std::string out_;
};

// ---- smithy-rpc-v2-cbor ----

Result<> write_cbor(CborWriter& writer, const Member& use, const Json& value, const ParamPath& path) {
  switch (use.shape->kind) {
    case Kind::structure: {
      const auto& params = value.get_object();
      writer.map(
          static_cast<std::uint64_t>(std::count_if(params.begin(), params.end(), [](const auto& p) { return !p.value().is_null(); })));
      return each_given(*use.shape, params, [&](const Member& member, const Json& given) {
        writer.text(member.wire_name());
        return write_cbor(writer, member, given, {path, member.name});
      });
    }
    case Kind::list: {
      const auto& elements = value.get_array();
      writer.list(elements.size());
      for (std::size_t i = 0; i < elements.size(); ++i) TRY(write_cbor(writer, *use.shape->element, elements[i], {path, i}));
      return {};
    }
    case Kind::map:
      writer.map(value.get_object().size());
      for (const auto& [key, given] : value.get_object()) {
        writer.text(key);
        TRY(write_cbor(writer, *use.shape->value, given, {path, key}));
      }
      return {};
    case Kind::string: return writer.text(value.get_string()), Result<>{};
    case Kind::blob: {
      const auto bytes = TRY_WITHIN(parse_base64(value.get_string()), "param `{}`", path.text());
      return writer.bytes(text_of(bytes)), Result<>{};
    }
    case Kind::boolean: return writer.boolean(value.get_bool()), Result<>{};
    case Kind::integer: return writer.integer(value.to_number<std::int64_t>()), Result<>{};
    case Kind::real: {
      const auto number = TRY(real_param(value, path));
      if (use.shape->single_precision)
        writer.short_real(static_cast<float>(number));
      else
        writer.real(number);
      return {};
    }
    case Kind::timestamp: {
      const auto seconds = to_epoch_seconds(TRY(instant_param(value, path)));
      writer.epoch_tag();
      if (seconds.is_int64())
        writer.integer(seconds.get_int64());
      else
        writer.real(seconds.get_double());
      return {};
    }
  }
  return {};
}

}  // namespace

std::string ParamPath::text() const {
  if (!parent_) return "params";
  if (name_.empty()) return fmt::format("{}[{}]", parent_->text(), index_);
  return parent_->parent_ ? fmt::format("{}.{}", parent_->text(), name_) : std::string{name_};
}

Result<> check_param(const Member& use, const Json& value, const ParamPath& path) {
  const auto& shape = *use.shape;
  if (path.depth() > kDeepestParams) return fail(Errc::usage, "param `{}` is nested more than {} levels deep", path.text(), kDeepestParams);
  if (use.event_stream) return fail(Errc::unsupported, "param `{}` is an event stream", path.text());
  if (shape.is_document || use.jsonvalue) return {};
  if (!is_of_kind(value, shape.kind)) return fail(Errc::usage, "param `{}` must be {}", path.text(), kind_name(shape.kind));
  if (value.is_uint64() && value.get_uint64() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
    return fail(Errc::usage, "param `{}` has more than 63 bits", path.text());
  if (shape.kind == Kind::list) {
    for (std::size_t i = 0; i < value.get_array().size(); ++i) TRY(check_param(*shape.element, value.get_array()[i], {path, i}));
  } else if (shape.kind == Kind::map) {
    for (const auto& [key, given] : value.get_object()) TRY(check_param(*shape.value, given, {path, key}));
  } else if (shape.kind == Kind::structure) {
    for (const auto& [name, given] : value.get_object()) {
      const auto* member = shape.find(name);
      if (!member) return fail(Errc::usage, "param `{}` is not in the model (`{}`)", ParamPath{path, name}.text(), shape.name);
      if (!given.is_null()) TRY(check_param(*member, given, {path, name}));
    }
    for (const auto& name : shape.required)
      if (!find(value, name)) return fail(Errc::usage, "param `{}` is missing", ParamPath{path, name}.text());
  }
  return {};
}

Result<Instant> instant_param(const Json& value, const ParamPath& path) {
  if (value.is_string()) return TRY_WITHIN(parse_timestamp(value.get_string()), "param `{}`", path.text());
  return TRY_WITHIN(from_epoch_seconds(value.to_number<double>()), "param `{}`", path.text());
}

Result<double> real_param(const Json& value, const ParamPath& path) {
  if (value.is_number()) return value.to_number<double>();
  const std::string_view word = value.get_string();
  if (word == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (word == "Infinity") return std::numeric_limits<double>::infinity();
  if (word == "-Infinity") return -std::numeric_limits<double>::infinity();
  return fail(Errc::usage, "param `{}` must be a number", path.text());
}

Result<std::string> scalar_text(const Member& use, const Json& value, TimestampFormat otherwise, const ParamPath& path) {
  switch (use.shape->kind) {
    case Kind::string:
    case Kind::blob: return std::string{value.get_string()};
    case Kind::boolean: return std::string{value.get_bool() ? "true" : "false"};
    case Kind::integer: return fmt::format("{}", value.to_number<std::int64_t>());
    case Kind::real:
      if (value.is_int64()) return fmt::format("{}", value.get_int64());
      return real_text(TRY(real_param(value, path)));
    case Kind::timestamp:
      return to_text(TRY(instant_param(value, path)), use.timestamp == TimestampFormat::by_protocol ? otherwise : use.timestamp);
    default: return fail(Errc::usage, "param `{}` cannot be written as one text", path.text());
  }
}

Result<std::string> query_body(const Service& service, const Operation& operation, const Json& params) {
  QueryWriter writer{service.protocol == Protocol::ec2};
  writer.pair("Action", operation.name);
  writer.pair("Version", service.api_version);
  if (operation.input.shape) TRY(writer.write(operation.input, params, "", {}));
  return writer.take();
}

Result<std::string> json_body(const Member& use, const Json& value) { return canonical(TRY(json_value(use, value, {}))); }

Result<std::string> xml_body(const Member& use, const std::string& root, const Json& value) {
  XmlWriter writer;
  TRY(writer.write(use, root, value, {}));
  return writer.take();
}

Result<std::string> cbor_body(const Member& use, const Json& value) {
  std::string out;
  CborWriter writer{out};
  TRY(write_cbor(writer, use, value, {}));
  return out;
}

}  // namespace vouch::wire
