// collect/secrets.h - secrets stop at the door.
//
// Before an answer is hashed or stored, each secret text in its raw bytes becomes "hmac-sha256:<hex>", keyed with a key of the home
// (keys/secrets.key): the same secret gives the same hash, so a change shows, and nobody without the key can try guesses. The rest of
// the bytes stays as received; JSON stays JSON, XML stays XML.
//
// A text is secret when the source file lists its member under `secret` (with all that is beneath it), or when the detector says so:
//   anywhere in a text: PEM private keys; AWS secret access keys next to their name; tokens that carry their issuer's prefix (GitHub,
//     GitLab, Slack, Stripe, Google, npm, OpenAI, SendGrid …); JWTs; the password in a URL
//   as a whole: the value of a member, map entry, tag or environment entry whose name says password, secret, token, API key or
//     private key, when it looks like one (no ARN, no id, no date, no word)
// Access key ids (AKIA…), account ids, ARNs and certificates are no secrets.
#pragma once

#include "base/digest.h"
#include "base/file.h"
#include "collect/source.h"
#include "wire/document.h"
#include "wire/models.h"

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::collect {

struct SecretsKey {
  std::array<std::uint8_t, 32> bytes{};
};

// home/keys/secrets.key, mode 0600. make: Errc::usage when there is one; read: Errc::not_found, Errc::malformed, and Errc::config when
// others may read it.
Result<> make_secrets_key(const fs::path& home);
Result<SecretsKey> read_secrets_key(const fs::path& home);

// "hmac-sha256:<64 hexadecimal digits>".
std::string keyed_hash(const SecretsKey& key, std::string_view secret);

// Parts of a text that are secret by their form alone, in order, not overlapping: [begin, end).
struct Span {
  std::size_t begin, end;
};
std::vector<Span> find_secrets(std::string_view text);

// Whether `value` is a secret because of the name it goes by. `free_form`: the name was chosen by the account's owner (a tag, an
// environment variable), not by the provider.
bool is_secret_value(std::string_view name, std::string_view value, bool free_form);

struct Redacted {
  std::string body;
  std::vector<std::string> paths;  // of the texts that were replaced, in names of the model, sorted; "" is the whole body
};

// Replaces the secrets of a success's body. `listed`: the source's paths. Nothing found: the same bytes and no paths.
// Errc::malformed when the body is neither JSON, XML nor a text that may be searched as such but has a secret listed.
Result<Redacted> redact(const wire::Service& service, const wire::Operation& operation, std::string_view body, std::span<const Path> listed,
                        const SecretsKey& key);
// The same for a body that no model describes. Of csv and text the whole is the member `answer`; what is JSON all the same is read as such.
Result<Redacted> redact_document(wire::AnswerKind kind, std::string_view body, std::span<const Path> listed, const SecretsKey& key);

}  // namespace vouch::collect
