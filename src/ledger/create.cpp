#include "ledger/create.h"

#include "ledger/checkpoint.h"
#include "ledger/log_files.h"
#include "ledger/recover.h"
#include "ledger/tree.h"

#include <sys/stat.h>

namespace vouch {
namespace {

fs::path key_path(const fs::path& home) { return home / "keys" / "ledger.key"; }
fs::path vkey_path(const fs::path& home) { return home / "keys" / "ledger.vkey"; }

}  // namespace

bool has_log(const fs::path& home) {
  std::error_code error;
  return fs::exists(checkpoint_path(home), error);
}

Result<Verifier> log_key(const fs::path& home) {
  const auto path = vkey_path(home);
  auto text = read_file(path, 4096);
  if (!text && text.error().code == Errc::not_found)
    return fail(Errc::not_found, "`{}` holds no log: `{}` is missing", home.string(), path.string());
  const auto kept = TRY(std::move(text));
  std::string_view vkey = kept;
  if (vkey.ends_with('\n')) vkey.remove_suffix(1);
  return TRY_WITHIN(Verifier::parse(vkey), "`{}`", path.string());
}

Result<> create_log(const fs::path& home, std::string_view origin) {
  std::error_code error;
  for (const auto& path : {checkpoint_path(home), key_path(home), vkey_path(home)})
    if (fs::exists(path, error)) return fail(Errc::usage, "`{}` holds a log already: `{}` is there", home.string(), path.string());
  const auto signer = TRY(Signer::generate(std::string{origin}));
  TRY(make_directory(home));
  const auto lock = TRY(LockFile::acquire(lock_path(home)));
  if (fs::exists(key_path(home), error)) return fail(Errc::usage, "`{}` holds a log already", home.string());
  TRY(make_directory(home / "keys"));
  if (::chmod((home / "keys").c_str(), 0700) != 0)
    return fail(Errc::io, "cannot chmod `{}`: {}", (home / "keys").string(), errno_text(errno));
  for (const auto* folder : {"ledger", "blobs"}) TRY(make_directory(home / folder));
  TRY(write_file(key_path(home), signer.to_text() + "\n", Sync::yes, 0600));
  TRY(write_file(vkey_path(home), signer.verifier().to_text() + "\n"));
  const auto checkpoint = TRY(sign_checkpoint(origin, {0}, empty_root(), signer));
  return write_file(checkpoint_path(home), checkpoint.note);
}

}  // namespace vouch
