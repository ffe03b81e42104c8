// collect/newest_first.h - a listing that comes newest first, read only as far as it is new.
#pragma once

#include "collect/cache.h"
#include "collect/source.h"

namespace vouch::collect {

// One reading of one request, page by page.
class NewestFirst {
 public:
  NewestFirst(const Increment& increment, std::optional<Cursor> before)
      : increment_(increment), before_(std::move(before)), newest_(before_.value_or(Cursor{})) {}

  // Leaves in `answer`, as it is stored, only the items that were not known before. Errc::malformed when there is no such list, an item
  // does not say when it changed, or one is newer than the one before it.
  Result<> read(Json& answer);

  [[nodiscard]] bool brought_something() const { return brought_something_; }  // the last page
  [[nodiscard]] bool reached_the_known() const { return reached_the_known_; }  // nothing that follows is new
  // Whether the last page reaches back beyond the newest instant: then whatever becomes new shows on it, and not behind it among others
  // of that instant.
  [[nodiscard]] bool reaches_back() const { return reaches_back_; }
  [[nodiscard]] const Cursor& newest() const { return newest_; }

 private:
  const Increment& increment_;
  std::optional<Cursor> before_;
  Cursor newest_;
  bool brought_something_ = false, reached_the_known_ = false, reaches_back_ = false;
};

// Which of two instants, as an API spells them, is the later one: less than 0 when it is the second. Both as instants, else as numbers,
// else as text. Nothing is later than what is empty.
int compare_moments(std::string_view a, std::string_view b);

}  // namespace vouch::collect
