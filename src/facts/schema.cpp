#include "facts/schema.h"

#include "facts/expression.h"

namespace vouch::facts {
namespace {

constexpr std::string_view bookkeeping = R"sql(
create schema vouch;
create table vouch.state (version bigint, size bigint, root text, catalog text, models text, simulated boolean);
create table vouch.run (source text, account text, leaf bigint, run text, started timestamptz, ended timestamptz, schedule bigint,
                        outcome text, reason text, tree text, times text);
create table vouch.listing (source text, account text, operation text, region text, manifest text, carried json, ended timestamptz,
                            observed timestamptz, complete boolean, repeats boolean);
create table vouch.hole (source text, account text, subject text, region text, params text, key json, "from" timestamptz, "to" timestamptz,
                         reason text, leaf bigint);
create table vouch.fact (table_name text, source text, operation text, regional boolean);

create view main.coverage as
with listed as (
  select f.table_name, f.source, f.operation, l.account, l.region
  from vouch.fact f join vouch.listing l on l.source = f.source and l.operation = f.operation
), reach as (
  select source, account, max_by(ended, leaf) + to_microseconds(least(max_by(schedule, leaf) * 3 // 2, 93600000000)) as "to"
  from vouch.run where account <> '' group by all
), gaps as (
  select l.*, h."from", h."to"
  from listed l join vouch.hole h on h.source = l.source and h.account = l.account
   and (h.subject = l.source or (h.subject = l.operation and h.region = l.region and h.params = ''))
), covered as (
  select g.table_name, g.account, g.region,
         max(g."to") over (partition by g.table_name, g.account, g.region order by g."from", g."to") as "from",
         coalesce(lead(g."from") over (partition by g.table_name, g.account, g.region order by g."from", g."to"), r."to") as "to"
  from gaps g join reach r on r.source = g.source and r.account = g.account
)
select table_name, account, nullif(region, '') as region,
       case when region = '' then json_object('account', account) else json_object('account', account, 'region', region) end as key,
       "from", "to", 'snapshots' as basis, null::text as reason, null::bigint as leaf
from covered where "from" < "to"
union all
select f.table_name, h.account, nullif(h.region, ''), h.key, h."from", h."to", 'none', h.reason, h.leaf
from vouch.fact f join vouch.hole h on h.subject in (f.table_name, f.operation) or (h.subject = f.source and h.source = f.source);
)sql";

std::string_view sql_type(Type type) {
  switch (type) {
    case Type::text: return "text";
    case Type::integer: return "bigint";
    case Type::number: return "double";
    case Type::boolean: return "boolean";
    case Type::time: return "timestamptz";
    case Type::json: return "json";
  }
  return "text";
}

std::string quote_with(std::string_view text, char mark) {
  std::string quoted{mark};
  for (const char c : text) {
    quoted += c;
    if (c == mark) quoted += c;
  }
  return quoted + mark;
}

}  // namespace

std::string quote(std::string_view identifier) { return quote_with(identifier, '"'); }
std::string quote_text(std::string_view text) { return quote_with(text, '\''); }
std::string literal(Instant at) { return fmt::format("TIMESTAMPTZ '{}'", to_string(at)); }

Result<> make_schema(table::Store& store, const FactCatalog& catalog) {
  TRY(store.execute("drop view if exists main.coverage; drop schema if exists vouch cascade"));
  const auto old = TRY(store.query("select table_name from duckdb_tables() where database_name = 'facts' and schema_name = 'main'"));
  for (const auto& row : old.rows) TRY(store.execute("drop table main." + quote(table::to_text(row[0]))));
  TRY(store.execute(bookkeeping));
  for (const auto& table : catalog.tables) {
    std::string columns;
    for (const auto& [name, type] : table.on_disk()) columns += fmt::format("{} {}, ", quote(name), sql_type(type));
    TRY(
        store.execute(fmt::format("create table main.{} ({}valid_from timestamptz, valid_to timestamptz, basis text, "
                                  "seen_before timestamptz, leaf bigint)",
                                  quote(table.name), columns)));
    TRY(store.execute("insert into vouch.fact values (?, ?, ?, ?)", {table.name, table.source, table.operation, table.regional}));
  }
  return store.execute("insert into vouch.state values (?, 0, '', ?, '', false)", {schema_version, to_hex(catalog.digest)});
}

std::string key_text(const std::map<std::string, std::string>& key) {
  json::object object;
  for (const auto& [name, value] : key) object[name] = value;
  return canonical(object).value_or("{}");
}

std::map<std::string, std::string> key_of(const Json& object) {
  std::map<std::string, std::string> key;
  if (const auto* members = object.if_object())
    for (const auto& member : *members) key[std::string{member.key()}] = text_of(member.value());
  return key;
}

}  // namespace vouch::facts
