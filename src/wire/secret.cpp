#include "wire/secret.h"

#include "wire/process.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cstdlib>

namespace vouch::wire {
namespace {

constexpr std::size_t kLongest = 64 << 10;  // of a key file or a command's output
constexpr Duration kLongestCommand = Duration::minutes(1);
constexpr mode_t kOthers = 077;

Result<std::string> read_private(const std::string& path) {
  Fd file{open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (!file) return fail(errno == ENOENT ? Errc::not_found : Errc::io, "`{}`: {}", path, errno_text(errno));
  struct stat status{};
  if (fstat(file.get(), &status) != 0) return fail(Errc::io, "`{}`: {}", path, errno_text(errno));
  if (!S_ISREG(status.st_mode)) return fail(Errc::config, "`{}` is no file", path);
  if ((status.st_mode & kOthers) != 0)
    return fail(Errc::config, "`{}` can be read or changed by others than its owner: chmod 600 it", path);
  if (static_cast<std::size_t>(status.st_size) > kLongest) return fail(Errc::limit, "`{}` has more than {} bytes", path, kLongest);
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const auto got = read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::io, "`{}`: {}", path, errno_text(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

}  // namespace

void wipe(std::string& text) {
  text.resize(text.capacity());
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

void SecretText::wipe() { wire::wipe(text_); }

SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this != &other) {
    wipe();
    text_ = std::move(other.text_);
    other.wipe();
  }
  return *this;
}

Secret Secret::environment(std::string name) { return {Kind::environment, {std::move(name)}}; }
Secret Secret::file(fs::path path) { return {Kind::file, {std::move(path).string()}}; }
Secret Secret::command(std::vector<std::string> words) { return {Kind::command, std::move(words)}; }

std::string Secret::where() const {
  const auto& name = words_.empty() ? std::string{} : words_.front();
  switch (kind_) {
    case Kind::environment: return fmt::format("${}", name);
    case Kind::file: return fmt::format("file `{}`", name);
    case Kind::command: return fmt::format("command `{}`", name);
  }
  return {};
}

Result<SecretText> Secret::read() const {
  std::string text;
  if (words_.empty() || words_.front().empty()) return fail(Errc::config, "a secret that says neither its variable, file nor command");
  if (kind_ == Kind::environment) {
    const char* value = std::getenv(words_.front().c_str());
    if (!value) return fail(Errc::config, "{} is not set", where());
    text = value;
  } else if (kind_ == Kind::file) {
    text = TRY(read_private(words_.front()));
  } else {
    text = TRY(run_process(words_, kLongestCommand, kLongest));
  }
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back()))) text.pop_back();
  if (text.empty()) return fail(Errc::config, "{} is empty", where());
  return SecretText{std::move(text)};
}

Result<SecretText> Secret::read_token() const {
  auto secret = TRY(read());
  if (std::ranges::any_of(secret.view(), [](char c) { return static_cast<unsigned char>(c) < ' ' || c == '\x7f'; }))
    return fail(Errc::config, "{} holds more than one line: no token does", where());
  return secret;
}

}  // namespace vouch::wire
