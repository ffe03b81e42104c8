// cli/commands.h - what each word of the command line does. One file a command; main.cpp only reads the line.
//
// A command prints its answer on stdout, and what is not the answer (progress, warnings) on stderr. Exit codes: 0 all well; 1 something in
// view fails; 2 wrong usage or configuration; 3 could not decide; 4 integrity broken. --no-fail makes 1 and 3 into 0.
#pragma once

#include "cli/output.h"

#include <optional>
#include <string>
#include <vector>

namespace vouch::cli {

enum class Exit { ok = 0, fails = 1, usage = 2, undecided = 3, broken = 4 };

// What an error means for whoever started the command.
Exit exit_of(const Error& error);

struct Common {
  std::optional<std::string> home;
  std::optional<std::string> format;  // nothing: table
  bool no_fail = false;
};

struct InitOptions {
  std::optional<std::string> folder;
  std::string origin;
  bool organisation = false;                      // --org: propose which accounts of the organisation are read
  std::string role = "VouchReader", external_id;  // of it
};
Result<Exit> run_init(const Common& common, const InitOptions& options);

struct CollectOptions {
  std::vector<std::string> sources;  // empty: all that are on
  std::optional<std::string> since;  // then: how far back what the sources told reaches
};
Result<Exit> run_collect(const Common& common, const CollectOptions& options);
Result<Exit> run_scan(const Common& common, const CollectOptions& options);

struct ServeOptions {
  std::optional<std::string> listen;  // ADDRESS:PORT
};
Result<Exit> run_serve(const Common& common, const ServeOptions& options);

struct StatusOptions {
  std::optional<std::string> as_of;
  std::vector<std::string> criteria;  // "CC6" stands for all that begin with it
  bool all = false;                   // a row for each control, the passing ones too
};
Result<Exit> run_status(const Common& common, const StatusOptions& options);

struct ShowOptions {
  std::string control;
  std::optional<std::string> member;
  std::optional<std::string> as_of;
  bool body = false;  // print the raw answers too
};
Result<Exit> run_show(const Common& common, const ShowOptions& options);

Result<Exit> run_next(const Common& common);

struct SqlOptions {
  std::string query;
  std::optional<std::string> as_of;  // tables hold what was true then, instead of all versions
  std::optional<std::string> export_file;
};
Result<Exit> run_sql(const Common& common, const SqlOptions& options);

Result<Exit> run_rebuild(const Common& common);

struct VerifyOptions {
  std::optional<std::string> proof, key;
};
Result<Exit> run_verify(const Common& common, const VerifyOptions& options);

struct LogOptions {
  std::vector<std::uint64_t> leaves;
  std::optional<std::string> file;           // export: where to
  std::optional<std::uint64_t> size, older;  // proof: the tree's size; the smaller tree of a consistency proof
  std::optional<std::string> blob;           // show: a blob's raw bytes by digest
};
Result<Exit> run_log_show(const Common& common, const LogOptions& options);
Result<Exit> run_log_proof(const Common& common, const LogOptions& options);
Result<Exit> run_log_checkpoint(const Common& common);
Result<Exit> run_log_export(const Common& common, const LogOptions& options);

struct DoctorOptions {
  std::vector<std::string> sources;  // empty: all that are on
  bool offline = false;              // the home only: nothing is asked
};
Result<Exit> run_doctor(const Common& common, const DoctorOptions& options);

struct PermissionsOptions {
  std::string source;
  std::optional<std::string> as;                                  // policy, terraform, stackset; app-manifest. Nothing: the list
  std::string role = "VouchReader", principal, external_id;       // terraform, stackset
  std::string name = "vouch-reader", url = "https://github.com";  // app-manifest
};
Result<Exit> run_permissions(const Common& common, const PermissionsOptions& options);

Result<Exit> run_catalog_check(const Common& common);
Result<Exit> run_catalog_list(const Common& common);

}  // namespace vouch::cli
