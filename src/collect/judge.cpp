#include "collect/node.h"
#include "collect/request.h"

namespace vouch::collect {

namespace {

// Said by whole accounts and regions, some of them with a status that does not read as a refusal.
constexpr std::string_view refusals[] = {"OptInRequired",
                                         "SubscriptionRequiredException",
                                         "UnrecognizedClientException",
                                         "InvalidClientTokenId",
                                         "AuthFailure",
                                         "AccessDenied",
                                         "AccessDeniedException",
                                         "UnauthorizedOperation",
                                         "AuthorizationError",
                                         "AuthorizationErrorException",
                                         "NotAuthorized",
                                         "UnauthorizedAccess"};

bool is_status(std::string_view code) {
  return !code.empty() && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

// "404", or "404 Branch not protected": a code, and how the service's own words begin.
bool declares(std::span<const std::string> codes, std::string_view code, std::string_view message) {
  return std::ranges::any_of(codes, [&](std::string_view declared) {
    if (!declared.starts_with(code)) return false;
    declared.remove_prefix(code.size());
    return declared.empty() || (declared.starts_with(' ') && message.starts_with(declared.substr(1)));
  });
}

std::string spell(std::string_view code) { return is_status(code) ? fmt::format("HTTP {}", code) : std::string(code); }

// "AccessDenied, Throttling and 2 more", without repetition.
std::string codes_of(const std::deque<Record>& records, Hole hole) {
  std::set<std::string> codes;
  for (const auto& record : records) {
    if (record.entry.hole == hole) codes.insert(spell(record.entry.error));
  }
  std::string text;
  std::size_t named = 0;
  for (const auto& code : codes) {
    if (++named > 3) return text + fmt::format(" and {} more", codes.size() - 3);
    text += (text.empty() ? "" : ", ") + code;
  }
  return text;
}

std::uint64_t count(const std::deque<Record>& records, Hole hole) {
  return static_cast<std::uint64_t>(std::ranges::count_if(records, [&](const Record& record) { return record.entry.hole == hole; }));
}

// Several pages of one request count as one; of an increment a request may have brought nothing to record.
std::uint64_t requests_of(const Node& node) {
  std::unordered_set<std::string_view> params;
  for (const auto& record : node.records) params.insert(record.entry.params);
  for (const auto& asked : node.asked) params.insert(asked);
  return params.size();
}

std::string of_all(std::uint64_t some, std::optional<std::uint64_t> all, std::string_view what, const std::string& codes) {
  return all ? fmt::format("{} of {} {} ({})", some, *all, what, codes) : fmt::format("{} {} ({})", some, what, codes);
}

}  // namespace

void classify(const SourceOperation& operation, const wire::ServiceError& error, int status, bool received, Entry& entry) {
  entry.error = printable(error.code);
  const auto& code = entry.error;
  const bool speaks = received || !is_status(code);
  if (speaks && declares(operation.absent, code, error.message)) {
    entry.absent = true;
  } else if (speaks && declares(operation.gone, code, error.message)) {
    entry.gone = true;
  } else if (error.heard == wire::Heard::denied || std::ranges::find(refusals, code) != std::end(refusals)) {
    entry.hole = Hole::denied;
  } else if (operation.for_each && status == 404 && error.heard == wire::Heard::absent && !is_status(code)) {
    // A 404 without a code of the service's is some proxy's word, not the provider's.
    entry.gone = true;
  } else {
    entry.hole = Hole::failed;
  }
}

Digest question_of(const SourceOperation& operation) {
  if (!operation.http) return {};
  const auto& http = *operation.http;
  json::object question{{"method", http.method},
                        {"url", http.url.text()},
                        {"body", http.body},
                        {"graphql", http.graphql},
                        {"params", operation.params.written()},
                        {"key", operation.key.written()}};
  if (operation.for_each) question["for each"] = fmt::format("{} {}", operation.for_each->operation, to_string(operation.for_each->path));
  if (operation.increment) question["by"] = fmt::format("{} {}", to_string(operation.increment->items), to_string(operation.increment->by));
  return sha256(canonical(Json(std::move(question))).value_or(std::string()));
}

bool inherit_holes(Node& node) {
  const auto& holes = node.parent->records;
  if (std::ranges::any_of(holes, [](const Record& record) { return record.entry.hole && record.entry.key.empty(); })) return false;
  for (const auto& record : holes) {
    if (!record.entry.hole) continue;
    Record own;
    own.entry.params = record.entry.params;
    own.entry.key = record.entry.key;
    own.entry.error = depends_on;
    own.entry.hole = record.entry.hole;
    // Behind the pages that a request of the same params may have brought.
    for (const auto& other : node.records) {
      if (other.entry.params == own.entry.params) own.entry.page = std::max(own.entry.page, other.entry.page + 1);
    }
    node.records.push_back(std::move(own));
  }
  return true;
}

bool brought_nothing(const Node& node) {
  if (!node.base) return false;
  std::vector<const Entry*> before;
  for (const auto& entry : node.before->requests) {
    if (!entry.is_answer()) before.push_back(&entry);
  }
  // Both are sorted.
  return std::ranges::equal(node.records, before, [](const Record& record, const Entry* entry) { return record.entry == *entry; });
}

Verdict judge(const Node& node) {
  Verdict verdict;
  verdict.denied = count(node.records, Hole::denied);
  verdict.failed = count(node.records, Hole::failed);
  const auto holes = verdict.denied + verdict.failed;
  const auto denied = [&] { return fmt::format("denied ({})", codes_of(node.records, Hole::denied)); };
  const auto failed = [&] { return fmt::format("failed ({})", codes_of(node.records, Hole::failed)); };
  const auto all = requests_of(node);
  // Of the elements of an increment that a run asks for all may be refused: those of the runs before still stand.
  const bool stands = node.inherits || (node.base && node.parent && node.parent->incremental);
  if (node.parent && node.parent->outcome != Outcome::complete && !node.inherits) {
    verdict.outcome = Outcome::failed;
    verdict.reason = fmt::format("depends on {}, which was {}", node.parent->operation->name(),
                                 node.parent->reason.empty() ? std::string(name_of(node.parent->outcome)) : node.parent->reason);
  } else if (holes == 0) {
    verdict.outcome = Outcome::complete;
  } else if (!node.operation->for_each || (holes == all && !stands)) {
    verdict.outcome = verdict.failed > 0 ? Outcome::failed : Outcome::denied;
    verdict.reason = verdict.failed > 0 ? failed() : denied();
  } else {
    verdict.outcome = Outcome::partial;
    // How many elements a run of an increment asks for says nothing.
    const auto total = node.base && node.parent && node.parent->incremental ? std::nullopt : std::optional(all);
    if (verdict.denied > 0) verdict.reason = of_all(verdict.denied, total, "denied", codes_of(node.records, Hole::denied));
    if (verdict.failed > 0) {
      verdict.reason +=
          (verdict.reason.empty() ? "" : ", ") + of_all(verdict.failed, total, "failed", codes_of(node.records, Hole::failed));
    }
  }
  return verdict;
}

}  // namespace vouch::collect
