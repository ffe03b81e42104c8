// ledger/create.h - begin a log.
#pragma once

#include "ledger/note.h"

namespace vouch {

// Makes keys/ledger.key (mode 0600), keys/ledger.vkey, ledger/ and blobs/ in an existing or new folder `home`, and signs and
// publishes the checkpoint of size 0. The origin is the log's name for others and its key's name (recommended: a URL without
// scheme). Errc::usage when there is a log or a key already: a log is never begun by accident, and never twice.
Result<> create_log(const fs::path& home, std::string_view origin);

// The log's public key, from keys/ledger.vkey. Errc::not_found when there is none.
Result<Verifier> log_key(const fs::path& home);

// Whether there is a log in `home`.
bool has_log(const fs::path& home);

}  // namespace vouch
