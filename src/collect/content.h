// collect/content.h - is it the same answer as before?
//
// The content digest is the SHA-256 of the canonical JSON of the parsed answer, without what only says where its pages are cut,
// without members that change by themselves (`volatile`), and with lists whose order means nothing (`sets`) sorted. It is taken of
// the answer as it is stored: secrets are keyed hashes by then, so that the digest tells nothing about them.
#pragma once

#include "base/digest.h"
#include "base/json.h"
#include "collect/expression.h"

#include <span>
#include <string>

namespace vouch::collect {

struct Normal {
  std::vector<std::string> paging;  // top-level members, from wire::paging_members
  std::span<const Path> volatiles, sets;
};

// The value that is hashed. A list on a path's way is unfolded also where the path does not say `[]`.
Json normalise(Json value, const Normal& normal);

// Errc::malformed when the value has no canonical form.
Result<Digest> content_of(const Json& value, const Normal& normal);

}  // namespace vouch::collect
