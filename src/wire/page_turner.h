// wire/page_turner.h - from one page of a listing to the next, in every style of http_api.h, and never round in circles.
//
// A position says where a page is: a URL (link, next), a cursor, or a number (page, offset); empty for the first one where no number is
// due.
#pragma once

#include "wire/dialect.h"
#include "wire/http_api.h"

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_set>

namespace vouch::wire {

class PageTurner {
 public:
  // `origin` is the base's: links lead there or nowhere. Both outlive it.
  PageTurner(const Paging& paging, const std::string& origin);

  [[nodiscard]] const std::string& position() const { return position_; }
  [[nodiscard]] bool is_first() const { return first_; }

  // Whether a 304 to that validator would tell the whole page. Where the Link header leads on, a full last page may have got a successor
  // without changing itself.
  [[nodiscard]] bool trusts(const Validator& known, std::string_view url);

  // Behind the page that `url` gave. `known` is set for a page that is unchanged. The validator's `next` and `items` are filled in.
  // Errc::malformed for a page that came before, a position that was asked before, a link to elsewhere, a list or total that is not there.
  Result<Turn> turn(std::string_view url, const Answer& answer, const Json& value, const Validator* known);

 private:
  struct Seen {
    std::optional<std::uint64_t> items, total;
    std::string next;
  };
  Result<Seen> look(std::string_view url, const Answer& answer, const Json& value) const;
  Result<Seen> recall(std::string_view url, const Answer& answer, const Validator& known) const;
  [[nodiscard]] Result<std::string> next_position(std::string_view url, const Answer& answer, const Json& value,
                                                  std::optional<std::uint64_t> items) const;
  [[nodiscard]] Result<std::string> next_by_link(std::string_view url, const Answer& answer) const;
  [[nodiscard]] Result<std::string> admit(std::string_view url, std::string_view reference) const;
  void note_size(std::string_view url);
  void start();

  const Paging& paging_;
  const std::string& origin_;
  std::string position_;
  std::uint64_t size_ = 0;  // of a full page, as far as it is known
  bool first_ = true;
  bool reread_ = false;
  std::unordered_set<std::uint64_t> positions_, bodies_;  // hashes of what was asked, and of what came
  std::uint64_t items_ = 0;
  bool counted_ = true;  // every page so far
  std::optional<std::uint64_t> total_;
};

}  // namespace vouch::wire
