#include "wire/parse_body.h"

#include <simdjson.h>
#include <pugixml.hpp>

namespace vouch::wire {
namespace {

std::string_view local_name(const char* name) {
  const std::string_view text = name;
  const auto colon = text.find(':');
  return colon == std::string_view::npos ? text : text.substr(colon + 1);
}
std::string_view local_name(pugi::xml_node node) { return local_name(node.name()); }

pugi::xml_node first_element(pugi::xml_node node) {
  auto child = node.first_child();
  while (child && child.type() != pugi::node_element) child = child.next_sibling();
  return child;
}

pugi::xml_node next_element(pugi::xml_node node) {
  do node = node.next_sibling();
  while (node && node.type() != pugi::node_element);
  return node;
}

pugi::xml_node element_named(pugi::xml_node parent, std::string_view name) {
  for (auto child = first_element(parent); child; child = next_element(child))
    if (local_name(child) == name) return child;
  return {};
}

bool is_text(pugi::xml_node node) { return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata; }

// A parsed document and the bytes it points into.
class Document {
 public:
  // The one root element; Errc::malformed when there is none, or more than one.
  Result<pugi::xml_node> parse(std::string_view body) {
    if (!simdjson::validate_utf8(body.data(), body.size())) return fail(Errc::malformed, "not UTF-8");
    bytes_.reserve(body.size() + 1);
    bytes_ = body;
    // No DTD is read and no entity but XML's own five is known. Blank text stays where it is an element's only content.
    constexpr unsigned kOptions =
        pugi::parse_cdata | pugi::parse_escapes | pugi::parse_eol | pugi::parse_wconv_attribute | pugi::parse_ws_pcdata_single;
    const auto result = document_.load_buffer_inplace(bytes_.data(), bytes_.size(), kOptions, pugi::encoding_utf8);
    if (!result) return fail(Errc::malformed, "not XML at byte {}: {}", result.offset, result.description());
    const auto root = first_element(document_);
    if (!root || next_element(root)) return fail(Errc::malformed, "not one XML document");
    return root;
  }

 private:
  std::string bytes_;
  pugi::xml_document document_;
};

// Reads in place: a value is written where it will stay, so that no copy is made.
class XmlReader {
 public:
  Result<> read(const Member& use, pugi::xml_node node, Json& out, int depth) {
    if (depth > kDeepestAnswer) return fail(Errc::malformed, "nested more than {} levels deep", kDeepestAnswer);
    switch (use.shape->kind) {
      case Kind::structure: return read_structure(*use.shape, node, out.emplace_object(), depth);
      case Kind::list: return read_list(*use.shape->element, node, out.emplace_array(), depth);
      case Kind::map: return read_map(*use.shape, node, out.emplace_object(), depth);
      default: return read_scalar(use, text_of_element(node), out);
    }
  }

 private:
  // An element's text is nearly always one node, which is then used where it stands.
  std::string_view text_of_element(pugi::xml_node node) {
    const auto first = node.first_child();
    if (!first) return {};
    if (!first.next_sibling() && is_text(first)) return first.value();
    joined_.clear();
    for (auto child = first; child; child = child.next_sibling())
      if (is_text(child)) joined_ += child.value();
    return joined_;
  }

  Result<> read_structure(const Shape& shape, pugi::xml_node node, json::object& out, int depth) {
    for (auto child = first_element(node); child; child = next_element(child)) {
      const auto at = shape.by_wire_name.find(local_name(child));
      if (at == shape.by_wire_name.end()) continue;
      for (const auto* member = at->second; member; member = member->twin) {
        if (member->xml_attribute) continue;
        auto result = read_member(*member, child, out, depth);
        if (!result) return std::unexpected(std::move(result).error().within(member->name));
      }
    }
    if (node.first_attribute()) read_attributes(shape, node, out);
    return {};
  }

  Result<> read_member(const Member& member, pugi::xml_node node, json::object& out, int depth) {
    const auto kind = member.shape->kind;
    if (member.flattened && kind == Kind::list) {
      auto& slot = out[member.name];
      auto& list = slot.is_array() ? slot.get_array() : slot.emplace_array();
      return read(*member.shape->element, node, list.emplace_back(nullptr), depth + 1);
    }
    if (member.flattened && kind == Kind::map) {
      auto& slot = out[member.name];
      return read_entry(*member.shape, node, slot.is_object() ? slot.get_object() : slot.emplace_object(), depth);
    }
    const auto [at, is_new] = out.emplace(member.name, nullptr);
    if (!is_new) return {};  // the first of repeated elements stands
    TRY(read(member, node, at->value(), depth + 1));
    if (at->value().is_null()) out.erase(at);
    return {};
  }

  Result<> read_list(const Member& element, pugi::xml_node node, json::array& out, int depth) {
    // Whatever their names: the element of a list that is not flattened holds nothing else.
    for (auto child = first_element(node); child; child = next_element(child))
      TRY(read(element, child, out.emplace_back(nullptr), depth + 1));
    return {};
  }

  Result<> read_map(const Shape& shape, pugi::xml_node node, json::object& out, int depth) {
    for (auto entry = first_element(node); entry; entry = next_element(entry)) TRY(read_entry(shape, entry, out, depth));
    return {};
  }

  Result<> read_entry(const Shape& shape, pugi::xml_node entry, json::object& out, int depth) {
    const std::string_view key_name = shape.key->location_name.empty() ? std::string_view{"key"} : shape.key->location_name;
    const std::string_view value_name = shape.value->location_name.empty() ? std::string_view{"value"} : shape.value->location_name;
    const auto key = element_named(entry, key_name);
    if (!key) return fail(Errc::malformed, "a map's entry without `{}`", key_name);
    auto& slot = out[std::string{text_of_element(key)}];
    const auto value = element_named(entry, value_name);
    return value ? read(*shape.value, value, slot, depth + 1) : Result<>{};
  }

  static void read_attributes(const Shape& shape, pugi::xml_node node, json::object& out) {
    for (const auto& member : shape.members) {
      if (!member.xml_attribute) continue;
      for (const auto attribute : node.attributes())
        if (local_name(attribute.name()) == local_name(member.wire_name().c_str())) out[member.name] = attribute.value();
    }
  }

  std::string joined_;
};

pugi::xml_node error_element(pugi::xml_node root) {
  if (local_name(root) == "Error") return root;
  if (const auto error = element_named(root, "Error")) return error;
  return element_named(element_named(root, "Errors"), "Error");
}

}  // namespace

Result<> read_xml(const Member& use, std::string_view body, std::string_view root_ending, std::string_view wrapper, Json& out) {
  Document document;
  auto node = TRY(document.parse(body));
  if (!local_name(node).ends_with(root_ending) || local_name(node) == "html" || local_name(node) == "HTML")
    return fail(Errc::malformed, "the root element is `{}`", local_name(node));
  if (!wrapper.empty()) {
    const auto root = node;
    node = element_named(root, wrapper);
    if (!node) return fail(Errc::malformed, "`{}` has no `{}`", local_name(root), wrapper);
  }
  return XmlReader{}.read(use, node, out, 0);
}

Result<std::string> read_xml_root_text(std::string_view body) {
  Document document;
  const auto root = TRY(document.parse(body));
  std::string text;
  for (const auto child : root.children())
    if (is_text(child)) text += child.value();
  return text;
}

Result<XmlError> read_xml_error(std::string_view body) {
  Document document;
  const auto error = error_element(TRY(document.parse(body)));
  const auto code = element_named(error, "Code");
  if (!code) return fail(Errc::malformed, "no `Code` in an error document");
  return XmlError{code.child_value(), element_named(error, "Message").child_value()};
}

bool is_xml_error(std::string_view body) {
  if (body.substr(0, 512).find("<Error>") == std::string_view::npos) return false;
  Document document;
  const auto root = document.parse(body);
  return root && local_name(*root) == "Error";
}

}  // namespace vouch::wire
