// ledger/note.h - signed notes: a text and who signed it.
//
// Spec: c2sp.org/signed-note, and c2sp.org/tlog-cosignature for witnesses. Text, a blank line, then signature lines
// "— <key name> <base64 of key id and signature>". Every rule is read strictly: one text for each note. Only Ed25519 is known
// (types 0x01 and, for cosignatures, 0x04); lines of other keys are tolerated and not trusted.
#pragma once

#include "base/digest.h"
#include "base/file.h"

#include <array>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vouch {

enum class KeyType : std::uint8_t {
  ed25519 = 0x01,      // a log's own: signs the text
  cosignature = 0x04,  // a witness's: signs the text and the time
};

// A public key with its name: who may have signed.
class Verifier {
 public:
  // "name+hhhhhhhh+base64(type, public key)". Errc::malformed when the id does not belong to name and key; Errc::unsupported
  // for other types of key.
  static Result<Verifier> parse(std::string_view vkey);
  // Errc::malformed for a name that is empty or has `+` or white space.
  static Result<Verifier> make(std::string name, KeyType type, const std::array<std::uint8_t, 32>& public_key);

  [[nodiscard]] std::string to_text() const;
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::uint32_t id() const { return id_; }
  [[nodiscard]] KeyType type() const { return type_; }

  // `signature` without the key's id. For a cosignature: the time (8 bytes) and the signature.
  [[nodiscard]] bool verify(std::string_view text, ByteView signature) const;

 private:
  Verifier() = default;
  std::string name_;
  std::uint32_t id_ = 0;
  KeyType type_ = KeyType::ed25519;
  std::array<std::uint8_t, 32> public_key_{};
};

// A private key with its name. The seed is wiped when the object ends; it never appears in an error.
class Signer {
 public:
  static Result<Signer> generate(std::string name);
  static Result<Signer> from_seed(std::string name, const std::array<std::uint8_t, 32>& seed);
  // "PRIVATE+KEY+name+hhhhhhhh+base64(0x01, seed)", as golang.org/x/mod/sumdb/note writes it; one LF behind it is allowed.
  static Result<Signer> parse(std::string_view text);

  Signer(Signer&&) noexcept;
  Signer& operator=(Signer&&) noexcept;
  ~Signer();

  [[nodiscard]] std::string to_text() const;  // secret: only for a file of mode 0600
  [[nodiscard]] const Verifier& verifier() const;
  [[nodiscard]] std::array<std::uint8_t, 64> sign(std::string_view text) const;

 private:
  struct Key;
  explicit Signer(std::unique_ptr<Key> key);
  std::unique_ptr<Key> key_;
};

// The whole note, with one signature line. Errc::malformed for a text that a note cannot carry.
Result<std::string> sign_note(std::string_view text, const Signer& signer);

struct Signature {
  std::string name;
  std::uint32_t key_id = 0;
  std::optional<std::uint64_t> time;  // seconds since 1970, of a verified cosignature
};

struct OpenedNote {
  std::string text;                   // with its final LF
  std::vector<Signature> verified;    // in the note's order; never empty
  std::vector<Signature> unverified;  // by keys that nobody named
};

// Errc::malformed when the bytes are no note; Errc::corrupt when a known key's signature is wrong or none of them signed.
Result<OpenedNote> open_note(std::string_view note, std::span<const Verifier> known);

}  // namespace vouch
