#include "facts/listing.h"

namespace vouch::facts {
namespace {

std::string hex_or_nothing(const std::optional<Digest>& digest) { return digest ? to_hex(*digest) : ""; }

Result<std::optional<Digest>> digest_or_nothing(const Json& object, std::string_view name) {
  const auto* text = find_string(object, name);
  if (!text || text->empty()) return std::optional<Digest>{};
  return std::optional{TRY(parse_digest(*text))};
}

bool flag(const Json& object, std::string_view name) {
  const auto* value = find(object, name);
  return value && value->is_bool() && value->get_bool();
}

// The requests of a manifest one by one: `visit(first, last)`.
template <class Visit>
void for_each_request(const evidence::Manifest& manifest, const Visit& visit) {
  const auto& entries = manifest.requests;
  for (auto from = entries.begin(); from != entries.end();) {
    auto to = from;
    while (to != entries.end() && to->params == from->params) ++to;
    visit(from, to);
    from = to;
  }
}

}  // namespace

std::string reason_of(const evidence::Entry& hole) {
  return fmt::format("{}{}", hole.hole == evidence::Hole::denied ? "denied" : "failed", hole.error.empty() ? "" : " (" + hole.error + ")");
}

std::string write_carried(const Requests& carried) {
  json::array all;
  for (const auto& [params, standing] : carried) {
    json::array pages;
    for (const auto& page : standing.pages)
      pages.push_back(json::object{{"page", page.number},
                                   {"status", page.status},
                                   {"absent", page.absent},
                                   {"gone", page.gone},
                                   {"content", hex_or_nothing(page.content)},
                                   {"body", hex_or_nothing(page.body)},
                                   {"key", page.key}});
    all.push_back(json::object{
        {"params", params}, {"ended", standing.ended ? Json(standing.ended->micros) : Json(nullptr)}, {"pages", std::move(pages)}});
  }
  return json::serialize(all);
}

Result<Requests> read_carried(std::string_view text) {
  Requests carried;
  if (text.empty()) return carried;
  const auto all = TRY(parse_json(text));
  if (!all.is_array()) return fail(Errc::corrupt, "vouch.listing.carried is not a list");
  for (const auto& one : all.get_array()) {
    auto& standing = carried[std::string{TRY(require_string(one, "params"))}];
    if (const auto* ended = find(one, "ended"); ended && ended->is_int64()) standing.ended = Instant{ended->get_int64()};
    const auto* pages = find_array(one, "pages");
    if (!pages) return fail(Errc::corrupt, "vouch.listing.carried has no pages");
    for (const auto& page : *pages)
      standing.pages.push_back({static_cast<std::uint32_t>(TRY(require_integer(page, "page"))),
                                static_cast<int>(TRY(require_integer(page, "status"))), flag(page, "absent"), flag(page, "gone"),
                                TRY(digest_or_nothing(page, "content")), TRY(digest_or_nothing(page, "body")),
                                std::string{TRY(require_string(page, "key"))}});
  }
  return carried;
}

Requests answered(const evidence::Manifest& manifest) {
  Requests requests;
  for_each_request(manifest, [&](auto from, auto to) {
    if (std::any_of(from, to, [](const evidence::Entry& entry) { return entry.hole.has_value(); })) return;
    auto& standing = requests[from->params];
    for (auto entry = from; entry != to; ++entry) standing.pages.push_back(page_of(*entry));
  });
  return requests;
}

Requests standing_after(const evidence::Manifest& manifest, const Requests& carried) {
  auto standing = answered(manifest);
  for (const auto& [params, old] : carried) {
    if (old.pages.empty())
      standing.erase(params);
    else
      standing.insert_or_assign(params, old);
  }
  return standing;
}

Difference compare(const Requests& before, const evidence::Manifest& manifest, std::optional<Instant> previously, const Spoiled& spoiled) {
  Difference difference;
  difference.current = answered(manifest);
  for (const auto& [params, why] : spoiled) {
    difference.current.erase(params);
    difference.carried[params];  // without pages, unless it stands from before
  }
  std::set<std::string_view> asked;
  for_each_request(manifest, [&](auto from, auto to) {
    asked.insert(from->params);
    const auto hole = std::find_if(from, to, [](const evidence::Entry& entry) { return entry.hole.has_value(); });
    const auto shapeless = spoiled.find(from->params);
    if (hole == to && shapeless == spoiled.end()) return;
    auto reason = hole == to ? "failed: " + shapeless->second : reason_of(*hole);
    difference.unanswered.push_back({from->params, from->key, std::move(reason)});
    if (const auto stands = before.find(from->params); stands != before.end()) {
      auto& carried = difference.carried[from->params] = stands->second;
      if (!carried.ended) carried.ended = previously;
    }
  });
  for (const auto& [params, standing] : difference.current) {
    const auto stands = before.find(params);
    const auto* old = stands == before.end() ? nullptr : &stands->second;
    const auto seen_before = old && old->ended ? old->ended : previously;
    for (const auto& page : standing.pages)
      if (!old || page.number >= old->pages.size() || !page.says_what(old->pages[page.number]))
        difference.shown.push_back({&params, &page, seen_before});
    if (!old) continue;
    for (const auto& page : old->pages)
      if (page.number >= standing.pages.size() || !page.says_what(standing.pages[page.number]))
        difference.hidden.push_back({&params, &page, {}});
  }
  for (const auto& [params, standing] : before)
    if (!asked.contains(params))
      for (const auto& page : standing.pages) difference.hidden.push_back({&params, &page, {}});
  return difference;
}

}  // namespace vouch::facts
