// The texts of an XML body, each with its place in the model and its bytes in the body.
#include "collect/edits.h"

#include <pugixml.hpp>

namespace vouch::collect {

namespace {

constexpr int max_depth = 128;

std::string spell_xml(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string spell_cdata(std::string_view text) { return std::string(text); }

std::string_view local_name(std::string_view name) {
  const auto colon = name.find(':');
  return colon == std::string_view::npos ? name : name.substr(colon + 1);
}

struct Context {
  const wire::Shape* shape = nullptr;
  std::string_view name;
  bool free_form = true;
  bool listed = false;
};

class Walk {
 public:
  Walk(std::string_view body, std::span<const Path> listed, Edits& edits) : body_(body), listed_(listed), edits_(edits) {}

  Result<> run(const wire::Shape* shape, std::string_view payload, std::string_view wrapper) {
    pugi::xml_document document;
    const auto parsed = document.load_buffer(body_.data(), body_.size(), pugi::parse_default, pugi::encoding_utf8);
    if (!parsed) return fail(Errc::malformed, "not XML at offset {}: {}", parsed.offset, parsed.description());
    const auto root = document.document_element();
    if (!root) return fail(Errc::malformed, "XML without an element");
    if (!payload.empty()) place_.enter(payload);
    if (wrapper.empty()) return element(root, {.shape = shape, .name = {}, .free_form = false, .listed = place_.is_listed(listed_)}, 0);
    for (const auto child : root.children()) {
      const bool is_wrapper = child.name() == wrapper;
      TRY(element(child, {.shape = is_wrapper ? shape : nullptr, .name = {}, .free_form = false}, 0));
    }
    return {};
  }

 private:
  Result<> element(pugi::xml_node node, const Context& context, int depth) {
    if (depth > max_depth) return fail(Errc::malformed, "XML nested too deeply");
    const bool is_list = context.shape && context.shape->kind == wire::Kind::list;
    std::map<std::string_view, std::size_t> indexes;
    pugi::xml_node name, value;
    std::string value_path;
    for (const auto child : node.children()) {
      if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
        text(child, context);
        continue;
      }
      if (child.type() != pugi::node_element) continue;
      auto inner = context;
      if (is_list) {
        inner.shape = context.shape->element ? context.shape->element->shape : nullptr;
        place_.enter(indexes[{}]++);
        TRY(element(child, inner, depth + 1));
        place_.leave();
        continue;
      }
      TRY(member(child, context, indexes, depth));
      const auto half = half_of_pair(local_name(child.name()));
      if (half == Half::name) name = child;
      if (half == Half::value) {
        value = child;
        place_.enter(local_name(child.name()));
        value_path = place_.text();
        place_.leave();
      }
    }
    if (name && value && is_secret_value(name.child_value(), value.child_value(), true)) {
      const auto token_node = value.first_child();
      edits_.replace(token_of(token_node), value_path, spell_of(token_node));
    }
    return {};
  }

  Result<> member(pugi::xml_node child, const Context& context, std::map<std::string_view, std::size_t>& indexes, int depth) {
    const auto tag = local_name(child.name());
    Context inner{.shape = nullptr, .name = tag, .free_form = context.shape == nullptr, .listed = context.listed};
    bool flattened = false;
    if (const auto* shape = context.shape; shape && shape->kind == wire::Kind::structure) {
      if (const auto found = shape->by_wire_name.find(tag); found != shape->by_wire_name.end()) {
        inner.name = found->second->name;
        inner.shape = found->second->shape;
        flattened = inner.shape && inner.shape->kind == wire::Kind::list && (found->second->flattened || is_flattened(*inner.shape, tag));
      }
    }
    place_.enter(inner.name);
    inner.listed = inner.listed || place_.is_listed(listed_);
    if (flattened) {
      inner.shape = inner.shape->element ? inner.shape->element->shape : nullptr;
      place_.enter(indexes[tag]++);
    }
    auto result = element(child, inner, depth + 1);
    if (flattened) place_.leave();
    place_.leave();
    return result;
  }

  // A list's member stands under its element's own name only where the list is flattened.
  static bool is_flattened(const wire::Shape& list, std::string_view tag) {
    return list.element && !list.element->location_name.empty() && list.element->location_name == tag;
  }

  void text(pugi::xml_node node, const Context& context) {
    const auto token = token_of(node);
    if (context.listed || is_secret_value(context.name, token.text, context.free_form)) {
      edits_.replace(token, place_.text(), spell_of(node));
    } else {
      edits_.search(token, place_, spell_of(node));
    }
  }

  static Edits::Spell spell_of(pugi::xml_node node) { return node.type() == pugi::node_cdata ? spell_cdata : spell_xml; }

  Token token_of(pugi::xml_node node) const {
    Token token;
    token.begin = static_cast<std::size_t>(std::max<std::ptrdiff_t>(node.offset_debug(), 0));
    const auto end = body_.find(node.type() == pugi::node_cdata ? "]]>" : "<", token.begin);
    token.end = end == std::string_view::npos ? body_.size() : end;
    token.text = node.value();
    return token;
  }

  std::string_view body_;
  std::span<const Path> listed_;
  Edits& edits_;
  Place place_;
};

}  // namespace

Result<> search_xml(std::string_view body, const wire::Shape* shape, std::string_view payload, std::string_view wrapper,
                    std::span<const Path> listed, Edits& edits) {
  return Walk(body, listed, edits).run(shape, payload, wrapper);
}

}  // namespace vouch::collect
