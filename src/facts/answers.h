// facts/answers.h - stored evidence read back: trees, manifests, times, and the answers themselves as values. Of this module only.
#pragma once

#include "base/digest.h"
#include "facts/tables.h"
#include "ledger/blobs.h"
#include "ledger/evidence.h"
#include "wire/models.h"

#include <optional>

namespace vouch::facts {

// A page of a request that was answered; what a manifest says of it, without what facts have no use for.
struct Page {
  std::uint32_t number = 0;
  int status = 0;
  bool absent = false, gone = false;
  std::optional<Digest> content, body;
  std::string key;  // canonical JSON, or empty

  // Whether it says the same. Which bytes carry equal content does not matter.
  [[nodiscard]] bool says_what(const Page& other) const {
    return number == other.number && absent == other.absent && gone == other.gone && content == other.content && key == other.key;
  }
};

class Answers {
 public:
  // Both must outlive this. The models' text is read again here at the first answer, since Models load as they are asked.
  Answers(const Blobs& blobs, const wire::Models& models) : blobs_(blobs), models_(models) {}

  // Errc::corrupt when the blob is missing or not what its name says.
  Result<evidence::Tree> tree(const Digest& digest);
  Result<evidence::Times> times(const Digest& digest);
  Result<evidence::Manifest> manifest(const Digest& digest);

  // The value of a page's body. Errc::malformed when it is no answer of this operation; the value lives as long as the next call.
  Result<Json> answer(std::string_view operation, Form form, const Page& page);

  std::uint64_t manifests_read = 0, bodies_read = 0;

 private:
  Result<std::string> blob(const Digest& digest, std::string_view what);
  Result<std::pair<const wire::Service*, const wire::Operation*>> operation(std::string_view name);

  const Blobs& blobs_;
  const wire::Models& models_;
  std::optional<wire::Models> own_, others_;
  std::unique_ptr<unsigned char[]> room_ = std::make_unique<unsigned char[]>(room_bytes);  // for the value of an answer
  static constexpr std::size_t room_bytes = 512 << 10;
};

// Damage to what we stored is an error; a provider's answer that we cannot make sense of is a hole.
bool is_damage(const Error& error);

// An entry of a manifest as a page.
Page page_of(const evidence::Entry& entry);

}  // namespace vouch::facts
