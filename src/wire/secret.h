// wire/secret.h - a secret, and where it is kept. It never appears in an error or a log.
#pragma once

#include "base/error.h"
#include "base/file.h"

#include <string>
#include <string_view>
#include <vector>

namespace vouch::wire {

// Its text; wiped at the end of its life.
class SecretText {
 public:
  SecretText() = default;
  explicit SecretText(std::string text) : text_(std::move(text)) {}
  SecretText(SecretText&& other) noexcept : text_(std::move(other.text_)) { other.wipe(); }
  SecretText& operator=(SecretText&& other) noexcept;
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  ~SecretText() { wipe(); }

  [[nodiscard]] std::string_view view() const { return text_; }
  [[nodiscard]] bool empty() const { return text_.empty(); }

 private:
  void wipe();
  std::string text_;
};

// Overwrites what a string holds, and empties it.
void wipe(std::string& text);

class Secret {
 public:
  static Secret environment(std::string name);
  static Secret file(fs::path path);                      // refused when anybody but its owner may read it
  static Secret command(std::vector<std::string> words);  // run without a shell, at most a minute; its standard output

  // Without white space at its end. Errc::config when it is not set, empty, or open to others; Errc::io, Errc::denied (the command fails),
  // Errc::not_found (no such file or program), Errc::unreachable (it takes too long).
  [[nodiscard]] Result<SecretText> read() const;
  // The same for a secret that is sent in a header: Errc::config when it holds control characters.
  [[nodiscard]] Result<SecretText> read_token() const;

  [[nodiscard]] bool may_change() const { return kind_ != Kind::environment; }  // while we run
  [[nodiscard]] std::string where() const;  // for people: "$GITHUB_TOKEN", "file `app.pem`", "command `gh`"

 private:
  enum class Kind { environment, file, command };
  Secret(Kind kind, std::vector<std::string> words) : kind_(kind), words_(std::move(words)) {}
  Kind kind_;
  std::vector<std::string> words_;
};

}  // namespace vouch::wire
