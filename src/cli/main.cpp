// vouch - the command line. Reads the line, calls one command, turns its error into a message and an exit code.
#include "cli/commands.h"

#include <CLI/CLI.hpp>
#include <csignal>

namespace vouch::cli {

Exit exit_of(const Error& error) {
  switch (error.code) {
    case Errc::usage:
    case Errc::config: return Exit::usage;
    case Errc::corrupt: return Exit::broken;
    default: return Exit::undecided;
  }
}

namespace {

using Command = std::function<Result<Exit>()>;

// Every subcommand has these, wherever on the line they stand.
void add_common(CLI::App& app, Common& common, bool formats = true) {
  app.add_option("--home", common.home, "the home folder (default: $VOUCH_HOME, else .vouch)")->type_name("DIR");
  if (formats) app.add_option("--format", common.format, "table, json, csv or md")->type_name("FORMAT");
  app.add_flag("--no-fail", common.no_fail, "exit 0 also where something fails or is unknown");
}

void add_log(CLI::App& app, Common& common, LogOptions& options, Command& command) {
  auto* log = app.add_subcommand("log", "look into the ledger");
  log->require_subcommand(1);
  auto* show = log->add_subcommand("show", "list the entries, or print some of them whole");
  add_common(*show, common);
  show->add_option("leaf", options.leaves, "which entries, counted from 0")->type_name("N");
  show->add_option("--blob", options.blob, "print the bytes with this SHA-256")->type_name("DIGEST");
  show->callback([&] { command = [&] { return run_log_show(common, options); }; });
  auto* proof = log->add_subcommand("proof", "inclusion proof of an entry, or consistency proof of a smaller tree");
  add_common(*proof, common);
  proof->add_option("--leaf", options.leaves, "the entry")->type_name("N")->expected(1);
  proof->add_option("--older", options.older, "size of the smaller tree")->type_name("SIZE");
  proof->add_option("--size", options.size, "size of the tree (default: the checkpoint's)")->type_name("SIZE");
  proof->callback([&] { command = [&] { return run_log_proof(common, options); }; });
  auto* checkpoint = log->add_subcommand("checkpoint", "print the signed checkpoint");
  add_common(*checkpoint, common);
  checkpoint->callback([&] { command = [&] { return run_log_checkpoint(common); }; });
  auto* exported = log->add_subcommand("export", "write entries with their proofs into a file that verifies anywhere");
  add_common(*exported, common);
  exported->add_option("--leaf", options.leaves, "which entries")->type_name("N")->required();
  exported->add_option("file", options.file, "where to")->type_name("FILE")->required();
  exported->callback([&] { command = [&] { return run_log_export(common, options); }; });
}

// What the line says, in one place.
int run(int argc, char** argv) {
  CLI::App app{"Vouch: when did each control hold, on what evidence, provably."};
  app.require_subcommand(1);
  app.set_version_flag("--version", std::string{"vouch "} + VOUCH_VERSION);
  app.fallthrough();
  app.failure_message(CLI::FailureMessage::simple);

  Common common;
  InitOptions init;
  CollectOptions collect;
  StatusOptions status;
  ShowOptions show;
  SqlOptions sql;
  VerifyOptions verify;
  LogOptions log;
  Command command;
  add_common(app, common);

  auto* init_command = app.add_subcommand("init", "make a home: settings, keys, an empty ledger");
  add_common(*init_command, common, false);
  init_command->add_option("folder", init.folder, "where (default: the home folder)")->type_name("DIR");
  init_command->add_option("--origin", init.origin, "the ledger's name in all its signatures (default: drawn)")->type_name("NAME");
  init_command->callback([&] { command = [&] { return run_init(common, init); }; });

  auto* scan = app.add_subcommand("scan", "init, collect and status in one go");
  auto* collect_command = app.add_subcommand("collect", "ask the sources and keep what they say");
  for (auto* one : {scan, collect_command}) {
    add_common(*one, common);
    one->add_option("--source", collect.sources, "only these (repeatable; default: all that are on)")->type_name("NAME");
  }
  scan->callback([&] { command = [&] { return run_scan(common, collect); }; });
  collect_command->callback([&] { command = [&] { return run_collect(common, collect); }; });

  auto* status_command = app.add_subcommand("status", "criteria and controls, with members by verdict");
  add_common(*status_command, common);
  status_command->add_option("--as-of", status.as_of, "judge this instant")->type_name("INSTANT");
  status_command->add_option("--criteria", status.criteria, "only these: CC6, CC6.1 (repeatable)")->type_name("ID")->delimiter(',');
  status_command->add_flag("--all", status.all, "a row for each control, the passing ones too");
  status_command->callback([&] { command = [&] { return run_status(common, status); }; });

  auto* show_command = app.add_subcommand("show", "one control and its members, down to the raw answers");
  add_common(*show_command, common);
  show_command->add_option("control", show.control, "the control's id")->type_name("CONTROL")->required();
  show_command->add_option("member", show.member, "a member, by name or key")->type_name("MEMBER");
  show_command->add_option("--as-of", show.as_of, "judge this instant")->type_name("INSTANT");
  show_command->add_flag("--body", show.body, "print the raw answers too");
  show_command->callback([&] { command = [&] { return run_show(common, show); }; });

  auto* next = app.add_subcommand("next", "what to mend first");
  add_common(*next, common);
  next->callback([&] { command = [&] { return run_next(common); }; });

  auto* sql_command = app.add_subcommand("sql", "ask the facts in SQL, read-only");
  add_common(*sql_command, common);
  sql_command->add_option("query", sql.query, "one SELECT; `show tables` lists what there is")->type_name("QUERY");
  sql_command->add_option("--as-of", sql.as_of, "tables hold what was true then (default: all versions)")->type_name("INSTANT");
  sql_command->add_option("--export", sql.export_file, "write a copy of the facts for your own tools")->type_name("FILE");
  sql_command->callback([&] { command = [&] { return run_sql(common, sql); }; });

  auto* rebuild = app.add_subcommand("rebuild", "fold the facts from the ledger again");
  add_common(*rebuild, common);
  rebuild->callback([&] { command = [&] { return run_rebuild(common); }; });

  auto* verify_command = app.add_subcommand("verify", "check every byte of a home, or a proof without one");
  add_common(*verify_command, common);
  verify_command->add_option("--proof", verify.proof, "a file from `vouch log export`")->type_name("FILE");
  verify_command->add_option("--key", verify.key, "the ledger's public key, as text or file")->type_name("KEY");
  verify_command->callback([&] { command = [&] { return run_verify(common, verify); }; });

  add_log(app, common, log, command);

  auto* catalog = app.add_subcommand("catalog", "what Vouch knows");
  catalog->require_subcommand(1);
  auto* check = catalog->add_subcommand("check", "read every file and run every scenario");
  add_common(*check, common);
  check->callback([&] { command = [&] { return run_catalog_check(common); }; });
  auto* list = catalog->add_subcommand("list", "the controls");
  add_common(*list, common);
  list->callback([&] { command = [&] { return run_catalog_list(common); }; });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const auto code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  const auto done = command();
  if (!done) {
    fmt::print(stderr, "vouch: {}\n", done.error().message);
    return static_cast<int>(exit_of(done.error()));
  }
  if (std::fflush(stdout) != 0) {
    fmt::print(stderr, "vouch: cannot write the answer: {}\n", errno_text(errno));
    return static_cast<int>(Exit::undecided);
  }
  const bool forgiven = common.no_fail && (*done == Exit::fails || *done == Exit::undecided);
  return static_cast<int>(forgiven ? Exit::ok : *done);
}

}  // namespace
}  // namespace vouch::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a pager that closes early is no crash
  return vouch::cli::run(argc, argv);
}
