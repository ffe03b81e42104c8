// cli/unit_words.h - what the name of an organisational unit says of the accounts in it: catalog/scope/*.yaml (catalog/README.md, "Scope").
//
// A name is taken apart at everything that is no letter, at digits and where a capital begins (DevSandbox-2: dev sandbox); case means
// nothing. Of the names that the catalogue knows the longest counts at each place.
#pragma once

#include "base/catalog.h"

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace vouch::cli {

struct UnitMeaning {
  enum class Scope { in, look, out };  // `look`: in, until a person has decided
  Scope scope = Scope::look;
  std::string reason;
  std::string look;      // what a person should make sure of; may be empty
  bool divided = false;  // units below it speak for themselves: one in production may hold a lab
};

struct UnitWords {
  std::map<std::string, UnitMeaning, std::less<>> names;  // "policy staging"
  std::set<std::string, std::less<>> neutral;             // words beside those that change nothing
};

// A home's file takes the place of the shipped one name by name; `neutral` words add up. Problems: file:line, and costs only that item.
UnitWords read_unit_words(const CatalogFiles& files, Problems& problems);

// "SDLC-Accounts 2" -> sdlc, accounts
std::vector<std::string> words_of(std::string_view name);

// What the name says; nothing when it has no known name in it. Only a name all of whose words say so is `out`: one that says something
// beside that (Sandbox-Customers, Lab-EMEA, Staging Sandbox) is `in` where one of its words is, else `look`.
std::optional<UnitMeaning> meaning_of(const UnitWords& words, std::string_view name);

}  // namespace vouch::cli
