#include "collect/secrets.h"

#include <openssl/rand.h>
#include <sys/stat.h>

namespace vouch::collect {

namespace {
fs::path path_of_key(const fs::path& home) { return home / "keys" / "secrets.key"; }
}  // namespace

Result<> make_secrets_key(const fs::path& home) {
  const auto path = path_of_key(home);
  std::error_code error;
  if (fs::exists(path, error))
    return fail(Errc::usage, "`{}` is there already: with another key no stored hash could be compared", path.string());
  SecretsKey key;
  if (RAND_bytes(key.bytes.data(), static_cast<int>(key.bytes.size())) != 1) return fail(Errc::io, "the system gives no random bytes");
  TRY(make_directory(path.parent_path()));
  return write_file(path, to_hex(ByteView(key.bytes)) + "\n", Sync::yes, 0600);
}

Result<SecretsKey> read_secrets_key(const fs::path& home) {
  const auto path = path_of_key(home);
  auto text = TRY(read_file(path, 4096));
  struct stat status{};
  if (::stat(path.c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
    return fail(Errc::config, "`{}` can be read by others: chmod 600 it", path.string());
  }
  if (text.ends_with('\n')) text.pop_back();
  const auto bytes = parse_hex(text);
  SecretsKey key;
  if (!bytes || bytes->size() != key.bytes.size()) return fail(Errc::malformed, "`{}` does not hold 64 hexadecimal digits", path.string());
  std::ranges::copy(*bytes, key.bytes.begin());
  return key;
}

}  // namespace vouch::collect
