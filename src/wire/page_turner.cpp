#include "wire/page_turner.h"

#include "wire/link_header.h"
#include "wire/url.h"

#include <charconv>

namespace vouch::wire {
namespace {

using Style = Paging::Style;

std::optional<std::uint64_t> number_in(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<std::uint64_t> number_in(const Json& value) {
  if (const auto* number = value.if_int64(); number && *number >= 0) return static_cast<std::uint64_t>(*number);
  if (const auto* number = value.if_uint64()) return *number;
  if (const auto* text = value.if_string()) return number_in(std::string_view{*text});
  return std::nullopt;
}

// Of a member whose absence, null or "" ends a listing. Cursors may be numbers.
Result<std::string> end_or_text(const Json* value) {
  if (!value || value->is_null()) return std::string{};
  if (const auto* text = value->if_string()) return std::string{*text};
  if (const auto* number = value->if_int64()) return fmt::format("{}", *number);
  if (const auto* number = value->if_uint64()) return fmt::format("{}", *number);
  return fail(Errc::malformed, "what should lead to the next page is neither text nor a number");
}

Result<std::string> next_cursor(const Json* info) {
  const auto* object = info ? info->if_object() : nullptr;
  const auto* more = object ? object->if_contains("hasNextPage") : nullptr;
  if (!more || !more->is_bool()) return fail(Errc::malformed, "the answer has no pageInfo with hasNextPage");
  if (!more->get_bool()) return std::string{};
  const auto* cursor = find_string(*info, "endCursor");
  if (!cursor || cursor->empty()) return fail(Errc::malformed, "pageInfo says that there is more, but has no endCursor");
  return std::string{*cursor};
}

}  // namespace

PageTurner::PageTurner(const Paging& paging, const std::string& origin) : paging_(paging), origin_(origin) { start(); }

void PageTurner::start() {
  const bool numbered = paging_.style == Style::page || paging_.style == Style::offset;
  position_ = numbered ? fmt::format("{}", paging_.from) : std::string{};
  first_ = true;
  positions_.clear();
  bodies_.clear();
  positions_.insert(hash_of(position_));
  items_ = 0;
  counted_ = true;
  total_.reset();
}

void PageTurner::note_size(std::string_view url) {
  size_ = paging_.size != 0 ? paging_.size : number_in(query_value(url, "per_page")).value_or(size_);
}

bool PageTurner::trusts(const Validator& known, std::string_view url) {
  if (paging_.style != Style::link || !known.next.empty()) return true;
  note_size(url);
  return size_ != 0 && known.items && *known.items < size_;
}

Result<Turn> PageTurner::turn(std::string_view url, const Answer& answer, const Json& value, const Validator* known) {
  note_size(url);
  auto seen = TRY(known ? recall(url, answer, *known) : look(url, answer, value));
  const bool last = seen.next.empty();
  if (!known && !(first_ && last) && seen.items.value_or(1) > 0 && !bodies_.insert(std::hash<std::string_view>{}(answer.body)).second)
    return fail(Errc::malformed, "the page is one that came before");
  counted_ = counted_ && seen.items;
  items_ += seen.items.value_or(0);
  if (seen.total) total_ = seen.total;

  Turn turn;
  turn.validator = Validator{.next = seen.next, .items = seen.items};
  if (!last) {
    if (!positions_.insert(hash_of(seen.next)).second) return fail(Errc::malformed, "the next page is one that was asked for before");
    position_ = std::move(seen.next);
    first_ = false;
    turn.to = Turn::To::next_page;
  } else if (total_ && counted_ && items_ != *total_) {
    turn.to = reread_ ? Turn::To::changed : Turn::To::first_page;
    reread_ = true;
    start();
  } else if (counted_) {
    turn.total = total_;
  }
  return turn;
}

Result<PageTurner::Seen> PageTurner::look(std::string_view url, const Answer& answer, const Json& value) const {
  Seen seen;
  const bool has_total = paging_.total || !paging_.total_header.empty();
  const bool must_count = has_total || paging_.style == Style::page || paging_.style == Style::offset;
  if (must_count || paging_.style != Style::none) {
    if (const auto* list = paging_.items.find_list(value)) seen.items = list->size();
    if (must_count && !seen.items) return fail(Errc::malformed, "the answer has no list `{}`", fmt::join(paging_.items.members(), "."));
  }
  if (paging_.total) {
    const auto* total = paging_.total->find(value);
    if (total) seen.total = number_in(*total);
  } else if (has_total) {
    const auto* header = find_header(answer.headers, paging_.total_header);
    if (header) seen.total = number_in(std::string_view{*header});
  }
  if (has_total && !seen.total) return fail(Errc::malformed, "the answer does not say how many items there are");
  seen.next = TRY(next_position(url, answer, value, seen.items));
  return seen;
}

// The run before looked; only a Link header may say something newer.
Result<PageTurner::Seen> PageTurner::recall(std::string_view url, const Answer& answer, const Validator& known) const {
  Seen seen{.items = known.items, .total = std::nullopt, .next = known.next};
  if (paging_.style == Style::link && find_header(answer.headers, "Link")) {
    seen.next = TRY(next_by_link(url, answer));
  } else if ((paging_.style == Style::link || paging_.style == Style::next) && !known.next.empty()) {
    seen.next = TRY(admit(url, known.next));
  }
  return seen;
}

Result<std::string> PageTurner::next_position(std::string_view url, const Answer& answer, const Json& value,
                                              std::optional<std::uint64_t> items) const {
  switch (paging_.style) {
    case Style::none: return std::string{};
    case Style::link: return next_by_link(url, answer);
    case Style::next: {
      const auto text = TRY(end_or_text(paging_.path.find(value)));
      return text.empty() ? text : admit(url, text);
    }
    case Style::cursor: return end_or_text(paging_.path.find(value));
    case Style::page_info: return next_cursor(paging_.path.find(value));
    case Style::page:
    case Style::offset: {
      const auto count = items.value_or(0);
      if (count == 0 || count < size_) return std::string{};
      const auto here = number_in(std::string_view{position_}).value_or(0);
      return fmt::format("{}", here + (paging_.style == Style::page ? 1 : count));
    }
  }
  return std::string{};
}

Result<std::string> PageTurner::next_by_link(std::string_view url, const Answer& answer) const {
  // Where pages are numbered, one that leads elsewhere than to its neighbours is not the page that was asked for.
  const auto here = number_in(query_value(url, "page"));
  if (const auto link = TRY(find_link(answer.headers, "prev"))) {
    const auto before = number_in(query_value(*link, "page"));
    if (before && (!here || *before + 1 != *here)) return fail(Errc::malformed, "page {} comes behind page {}", here.value_or(1), *before);
  }
  const auto link = TRY(find_link(answer.headers, "next"));
  if (!link) return std::string{};
  auto next = TRY(admit(url, *link));
  const auto there = number_in(query_value(next, "page"));
  const bool neighbours = here ? there == *here + 1 : there && (*there == 1 || *there == 2);  // the first has number 0 or 1
  if (there && !neighbours) return fail(Errc::malformed, "page {} leads to page {}", here.value_or(1), *there);
  return next;
}

Result<std::string> PageTurner::admit(std::string_view url, std::string_view reference) const {
  auto next = TRY_WITHIN(resolve_url(url, reference), "the link to the next page");
  const auto origin = TRY(origin_of_url(next));
  if (origin != origin_) return fail(Errc::malformed, "the next page is at `{}`, another host than `{}`", origin, origin_);
  return next;
}

}  // namespace vouch::wire
