// The texts of a JSON body, each with its place in the model. The body is walked byte by byte, because only the secret texts may change.
#include "collect/edits.h"

namespace vouch::collect {

namespace {

constexpr std::size_t max_depth = 128;

std::string spell_json(std::string_view text) { return json::serialize(json::string(text)); }

struct Context {
  const wire::Shape* shape = nullptr;
  std::string_view name;  // of the nearest member
  bool free_form = true;  // the name is the account owner's choice
  bool listed = false;
};

class Walk {
 public:
  Walk(std::string_view body, std::span<const Path> listed, Edits& edits) : body_(body), listed_(listed), edits_(edits) {}

  Result<> run(const wire::Shape* shape, std::string_view payload) {
    Context context;
    context.shape = shape;
    if (!payload.empty()) {
      place_.enter(payload);
      context.listed = place_.is_listed(listed_);
    }
    TRY(value(context, nullptr));
    blanks();
    if (at_ != body_.size()) return broken("something behind the value");
    return {};
  }

 private:
  std::unexpected<Error> broken(std::string_view what) const { return fail(Errc::malformed, "not JSON at offset {}: {}", at_, what); }
  void blanks() {
    while (at_ < body_.size() && (body_[at_] == ' ' || body_[at_] == '\n' || body_[at_] == '\t' || body_[at_] == '\r')) ++at_;
  }
  bool accept(char c) {
    blanks();
    if (at_ >= body_.size() || body_[at_] != c) return false;
    ++at_;
    return true;
  }

  // `kept` receives the token of a text, for a decision that its neighbours make.
  Result<> value(const Context& context, std::optional<Token>* kept) {
    if (place_.depth() > max_depth) return broken("nested too deeply");
    blanks();
    if (at_ >= body_.size()) return broken("the text ends early");
    switch (body_[at_]) {
      case '{': return object(context);
      case '[': return array(context);
      case '"': return text(context, kept);
      default: return other();
    }
  }

  Result<> other() {
    const auto begin = at_;
    while (at_ < body_.size() && std::string_view(",]} \t\r\n").find(body_[at_]) == std::string_view::npos) ++at_;
    return at_ == begin ? broken("no value") : Result<>{};
  }

  Result<> text(const Context& context, std::optional<Token>* kept) {
    auto token = TRY(string_token());
    if (context.listed || is_secret_value(context.name, token.text, context.free_form)) {
      edits_.replace(token, place_.text(), spell_json);
    } else {
      edits_.search(token, place_, spell_json);
    }
    if (kept) {
      token.path = place_.text();
      *kept = std::move(token);
    }
    return {};
  }

  Result<Token> string_token() {
    Token token;
    token.begin = at_++;
    for (;;) {
      const auto run = body_.find_first_of("\"\\", at_);
      if (run == std::string_view::npos) return broken("a text is never closed");
      token.text.append(body_, at_, run - at_);
      at_ = run + 1;
      if (body_[run] == '"') break;
      TRY(escape(token.text));
    }
    token.end = at_;
    return token;
  }

  Result<> escape(std::string& out) {
    if (at_ >= body_.size()) return broken("an escape is cut off");
    const char c = body_[at_++];
    switch (c) {
      case '"':
      case '\\':
      case '/': out += c; return {};
      case 'b': out += '\b'; return {};
      case 'f': out += '\f'; return {};
      case 'n': out += '\n'; return {};
      case 'r': out += '\r'; return {};
      case 't': out += '\t'; return {};
      case 'u': break;
      default: return broken("an unknown escape");
    }
    auto code = TRY(hex4());
    if (code >= 0xD800 && code < 0xDC00 && body_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const auto second = TRY(hex4());
      if (second < 0xDC00 || second > 0xDFFF) return broken("half a surrogate pair");
      code = 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00);
    }
    append_utf8(code, out);
    return {};
  }

  Result<std::uint32_t> hex4() {
    std::uint32_t code = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (at_ >= body_.size()) return broken("an escape is cut off");
      const char c = body_[at_];
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) return broken("no hexadecimal digit");
      code = code * 16 + static_cast<std::uint32_t>(digit);
    }
    return code;
  }

  static void append_utf8(std::uint32_t code, std::string& out) {
    const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((code >> shift) & 0x3F)); };
    if (code < 0x80) {
      out += static_cast<char>(code);
    } else if (code < 0x800) {
      out += static_cast<char>(0xC0 | (code >> 6)), tail(0);
    } else if (code < 0x10000) {
      out += static_cast<char>(0xE0 | (code >> 12)), tail(6), tail(0);
    } else {
      out += static_cast<char>(0xF0 | (code >> 18)), tail(12), tail(6), tail(0);
    }
  }

  Result<> array(const Context& context) {
    ++at_;
    if (accept(']')) return {};
    auto inner = context;
    const bool is_list = context.shape && context.shape->kind == wire::Kind::list && context.shape->element;
    inner.shape = is_list ? context.shape->element->shape : nullptr;
    for (std::size_t index = 0;; ++index) {
      place_.enter(index);
      TRY(value(inner, nullptr));
      place_.leave();
      if (accept(']')) return {};
      if (!accept(',')) return broken("`,` or `]` expected");
    }
  }

  Result<> object(const Context& context) {
    ++at_;
    if (accept('}')) return {};
    std::optional<Token> name, secret;
    do {
      blanks();
      if (at_ >= body_.size() || body_[at_] != '"') return broken("a member's name expected");
      const auto key = TRY(string_token());
      if (!accept(':')) return broken("`:` expected");
      TRY(member(context, key.text, name, secret));
    } while (accept(','));
    if (!accept('}')) return broken("`,` or `}` expected");
    if (name && secret && is_secret_value(name->text, secret->text, true)) edits_.replace(*secret, secret->path, spell_json);
    return {};
  }

  Result<> member(const Context& context, const std::string& key, std::optional<Token>& name, std::optional<Token>& secret) {
    Context inner{.shape = nullptr, .name = key, .free_form = true, .listed = context.listed};
    if (const auto* shape = context.shape; shape && shape->kind == wire::Kind::structure && !shape->is_document) {
      inner.free_form = false;
      if (const auto found = shape->by_wire_name.find(key); found != shape->by_wire_name.end()) {
        inner.name = found->second->name;
        inner.shape = found->second->shape;
      }
    } else if (shape && shape->kind == wire::Kind::map && shape->value) {
      inner.shape = shape->value->shape;
    }
    place_.enter(inner.name);
    inner.listed = inner.listed || place_.is_listed(listed_);
    const auto half = half_of_pair(key);
    auto result = value(inner, half == Half::name ? &name : half == Half::value ? &secret : nullptr);
    place_.leave();
    return result;
  }

  std::string_view body_;
  std::span<const Path> listed_;
  Edits& edits_;
  std::size_t at_ = 0;
  Place place_;
};

}  // namespace

Result<> search_json(std::string_view body, const wire::Shape* shape, std::string_view payload, std::span<const Path> listed,
                     Edits& edits) {
  return Walk(body, listed, edits).run(shape, payload);
}

}  // namespace vouch::collect
