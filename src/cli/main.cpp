// vouch - the command line. Reads the line, calls one command, turns its error into a message and an exit code.
#include "cli/commands.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <system_error>

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

// What the line says. CLI11 fills it; `command` is what to do.
struct Line {
  Common common;
  InitOptions init;
  CollectOptions collect;
  ServeOptions serve;
  StatusOptions status;
  ShowOptions show;
  SqlOptions sql;
  VerifyOptions verify;
  LogOptions log;
  DoctorOptions doctor;
  PermissionsOptions permissions;
  std::function<Result<Exit>()> command;
};

// Every subcommand has these, wherever on the line they stand.
void add_common(CLI::App& app, Common& common, bool formats = true) {
  app.add_option("--home", common.home, "the home folder (default: $VOUCH_HOME, else .vouch)")->type_name("DIR");
  if (formats) app.add_option("--format", common.format, "table, json, csv or md")->type_name("FORMAT");
  app.add_flag("--no-fail", common.no_fail, "exit 0 also where something fails or is unknown");
}

void add_collecting(CLI::App& app, Line& line) {
  auto* init_command = app.add_subcommand("init", "make a home: settings, keys, an empty ledger");
  add_common(*init_command, line.common, false);
  init_command->add_option("folder", line.init.folder, "where (default: the home folder)")->type_name("DIR");
  init_command->add_option("--origin", line.init.origin, "the ledger's name in all its signatures (default: drawn)")->type_name("NAME");
  auto* org = init_command->add_flag("--org", line.init.organisation, "AWS: propose which accounts of the organisation are read, and why");
  init_command->add_option("--role", line.init.role, "with --org: the role to assume in each (default: VouchReader)")
      ->type_name("NAME")
      ->needs(org);
  init_command->add_option("--external-id", line.init.external_id, "with --org: what its trust asks for")->type_name("TEXT")->needs(org);
  init_command->callback([&line] { line.command = [&line] { return run_init(line.common, line.init); }; });

  auto* scan = app.add_subcommand("scan", "init, collect and status in one go");
  auto* collect_command = app.add_subcommand("collect", "ask the sources and keep what they say");
  for (auto* one : {scan, collect_command}) {
    add_common(*one, line.common);
    one->add_option("--source", line.collect.sources, "only these (repeatable; default: all that are on)")->type_name("NAME");
  }
  collect_command->add_option("--since", line.collect.since, "then show how far back what happened since is told, and what is lost")
      ->type_name("INSTANT");
  auto* serve = app.add_subcommand("serve", "collect by schedule, and answer /healthz and /metrics");
  add_common(*serve, line.common, false);
  serve->add_option("--listen", line.serve.listen, "where to answer (default: 127.0.0.1:8437)")->type_name("ADDRESS:PORT");
  serve->callback([&line] { line.command = [&line] { return run_serve(line.common, line.serve); }; });
  scan->callback([&line] { line.command = [&line] { return run_scan(line.common, line.collect); }; });
  collect_command->callback([&line] { line.command = [&line] { return run_collect(line.common, line.collect); }; });
}

void add_asking(CLI::App& app, Line& line) {
  auto* status_command = app.add_subcommand("status", "criteria and controls, with members by verdict");
  add_common(*status_command, line.common);
  status_command->add_option("--as-of", line.status.as_of, "judge this instant")->type_name("INSTANT");
  status_command->add_option("--criteria", line.status.criteria, "only these: CC6, CC6.1 (repeatable)")->type_name("ID")->delimiter(',');
  status_command->add_flag("--all", line.status.all, "a row for each control, the passing ones too");
  status_command->callback([&line] { line.command = [&line] { return run_status(line.common, line.status); }; });

  auto* show_command = app.add_subcommand("show", "one control and its members, down to the raw answers");
  add_common(*show_command, line.common);
  show_command->add_option("control", line.show.control, "the control's id")->type_name("CONTROL")->required();
  show_command->add_option("member", line.show.member, "a member, by name or key")->type_name("MEMBER");
  show_command->add_option("--as-of", line.show.as_of, "judge this instant")->type_name("INSTANT");
  show_command->add_flag("--body", line.show.body, "print the raw answers too");
  show_command->callback([&line] { line.command = [&line] { return run_show(line.common, line.show); }; });

  auto* next = app.add_subcommand("next", "what to mend first");
  add_common(*next, line.common);
  next->callback([&line] { line.command = [&line] { return run_next(line.common); }; });

  auto* sql_command = app.add_subcommand("sql", "ask the facts in SQL, read-only");
  add_common(*sql_command, line.common);
  sql_command->add_option("query", line.sql.query, "one SELECT; `show tables` lists what there is")->type_name("QUERY");
  sql_command->add_option("--as-of", line.sql.as_of, "tables hold what was true then (default: all versions)")->type_name("INSTANT");
  sql_command->add_option("--export", line.sql.export_file, "write a copy of the facts for your own tools")->type_name("FILE");
  sql_command->callback([&line] { line.command = [&line] { return run_sql(line.common, line.sql); }; });

  auto* rebuild = app.add_subcommand("rebuild", "fold the facts from the ledger again");
  add_common(*rebuild, line.common);
  rebuild->callback([&line] { line.command = [&line] { return run_rebuild(line.common); }; });
}

void add_log(CLI::App& app, Line& line) {
  auto& common = line.common;
  auto& options = line.log;
  auto* log = app.add_subcommand("log", "look into the ledger");
  log->require_subcommand(1);
  auto* show = log->add_subcommand("show", "list the entries, or print some of them whole");
  add_common(*show, common);
  show->add_option("leaf", options.leaves, "which entries, counted from 0")->type_name("N");
  show->add_option("--blob", options.blob, "print the bytes with this SHA-256")->type_name("DIGEST");
  show->callback([&line] { line.command = [&line] { return run_log_show(line.common, line.log); }; });
  auto* proof = log->add_subcommand("proof", "inclusion proof of an entry, or consistency proof of a smaller tree");
  add_common(*proof, common);
  proof->add_option("--leaf", options.leaves, "the entry")->type_name("N")->expected(1);
  proof->add_option("--older", options.older, "size of the smaller tree")->type_name("SIZE");
  proof->add_option("--size", options.size, "size of the tree (default: the checkpoint's)")->type_name("SIZE");
  proof->callback([&line] { line.command = [&line] { return run_log_proof(line.common, line.log); }; });
  auto* checkpoint = log->add_subcommand("checkpoint", "print the signed checkpoint");
  add_common(*checkpoint, common);
  checkpoint->callback([&line] { line.command = [&line] { return run_log_checkpoint(line.common); }; });
  auto* exported = log->add_subcommand("export", "write entries with their proofs into a file that verifies anywhere");
  add_common(*exported, common);
  exported->add_option("--leaf", options.leaves, "which entries")->type_name("N")->required();
  exported->add_option("file", options.file, "where to")->type_name("FILE")->required();
  exported->callback([&line] { line.command = [&line] { return run_log_export(line.common, line.log); }; });
}

void add_checking(CLI::App& app, Line& line) {
  auto* verify_command = app.add_subcommand("verify", "check every byte of a home, or a proof without one");
  add_common(*verify_command, line.common);
  verify_command->add_option("--proof", line.verify.proof, "a file from `vouch log export`")->type_name("FILE");
  verify_command->add_option("--key", line.verify.key, "the ledger's public key, as text or file")->type_name("KEY");
  verify_command->callback([&line] { line.command = [&line] { return run_verify(line.common, line.verify); }; });

  auto* doctor = app.add_subcommand("doctor", "whether the home and each source are well, and how to mend what is not");
  add_common(*doctor, line.common);
  doctor->add_option("--source", line.doctor.sources, "only these (repeatable; default: all that are on)")->type_name("NAME");
  doctor->add_flag("--offline", line.doctor.offline, "look at the home only");
  doctor->callback([&line] { line.command = [&line] { return run_doctor(line.common, line.doctor); }; });

  auto& permissions = line.permissions;
  auto* needed = app.add_subcommand("permissions", "the least that a source must be allowed");
  add_common(*needed, line.common);
  needed->add_option("source", permissions.source, "aws, github, …")->type_name("SOURCE")->required();
  needed->add_option("--as", permissions.as, "policy, terraform or stackset (aws); app-manifest (github); default: a list")
      ->type_name("FORM");
  needed->add_option("--role", permissions.role, "name of the role to make (default: VouchReader)")->type_name("NAME");
  needed->add_option("--principal", permissions.principal, "who may assume it: account or ARN")->type_name("ARN");
  needed->add_option("--external-id", permissions.external_id, "what its trust asks for")->type_name("TEXT");
  needed->add_option("--name", permissions.name, "name of the GitHub App (default: vouch-reader)")->type_name("NAME");
  needed->add_option("--url", permissions.url, "page of the GitHub App")->type_name("URL");
  needed->callback([&line] { line.command = [&line] { return run_permissions(line.common, line.permissions); }; });

  auto* catalog = app.add_subcommand("catalog", "what Vouch knows");
  catalog->require_subcommand(1);
  auto* check = catalog->add_subcommand("check", "read every file and run every scenario");
  add_common(*check, line.common);
  check->callback([&line] { line.command = [&line] { return run_catalog_check(line.common); }; });
  auto* list = catalog->add_subcommand("list", "the controls");
  add_common(*list, line.common);
  list->callback([&line] { line.command = [&line] { return run_catalog_list(line.common); }; });
}

// fmt throws where a line cannot be written. What had been decided is not known here: never `ok`.
Result<Exit> answer(const Line& line) {
  try {
    return line.command();
  } catch (const std::system_error& error) {
    if (error.code() == std::errc::broken_pipe) return Exit::undecided;  // a reader that has seen enough is no error
    return fail(Errc::io, "cannot write the answer: {}", error.what());
  }
}

int run(int argc, char** argv) {
  CLI::App app{"Vouch: when did each control hold, on what evidence, provably."};
  app.require_subcommand(0, 1);
  app.set_version_flag("--version", std::string{"vouch "} + VOUCH_VERSION);
  app.fallthrough();
  app.failure_message(CLI::FailureMessage::simple);
  Line line;
  add_common(app, line.common);
  add_collecting(app, line);
  add_asking(app, line);
  add_checking(app, line);
  add_log(app, line);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const auto code = app.exit(error);
    return code == 0 ? 0 : static_cast<int>(Exit::usage);
  }
  if (!line.command) {
    fmt::print(stderr, "{}", app.help());
    return static_cast<int>(Exit::usage);
  }
  const auto done = answer(line);
  if (!done) {
    fmt::print(stderr, "vouch: {}\n", done.error().message);
    return static_cast<int>(exit_of(done.error()));
  }
  if (std::fflush(stdout) != 0 && errno != EPIPE) {  // a reader that has seen enough is no error
    fmt::print(stderr, "vouch: cannot write the answer: {}\n", errno_text(errno));
    return static_cast<int>(Exit::undecided);
  }
  const bool forgiven = line.common.no_fail && (*done == Exit::fails || *done == Exit::undecided);
  return static_cast<int>(forgiven ? Exit::ok : *done);
}

}  // namespace
}  // namespace vouch::cli

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // a pager that closes early is no crash
  return vouch::cli::run(argc, argv);
}
