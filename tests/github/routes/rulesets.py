"""Rulesets of organisation and repository, the rules in force for a branch, and rule suites: what they decided."""
from .. import events, protection, render
from ..access import Refused
from ..app import Page, route
from ..state import Organisation, Ruleset, iso
from .repositories import PERIODS

MEMBERS = ("name", "target", "enforcement", "bypass_actors", "conditions", "rules")


def show(rq, ruleset, whole=False):
    """In lists without conditions and rules; bypass actors only for who may change the ruleset.  (rest/repos/rules)"""
    own, body = isinstance(ruleset.source, Organisation), ruleset.body
    where, name = (f"orgs/{ruleset.source.login}", ruleset.source.login) if own else (f"repos/{ruleset.source.full_name}", ruleset.source.full_name)
    page = f"{render.WEB}/organizations/{name}/settings/rules/{ruleset.id}" if own else f"{render.WEB}/{name}/rules/{ruleset.id}"
    made = {"id": ruleset.id, "name": body["name"], "target": body.get("target", "branch"), "source_type": "Organization" if own else "Repository",
            "source": name, "enforcement": body["enforcement"], "node_id": ruleset.node_id,
            "_links": {"self": {"href": f"{render.API}/{where}/rulesets/{ruleset.id}"}, "html": {"href": page}}, "created_at": iso(ruleset.created_at),
            "updated_at": iso(ruleset.updated_at)}
    if whole:
        made |= {"conditions": body.get("conditions") or {}, "rules": body.get("rules") or []}
        if may_change(rq, ruleset):
            made["bypass_actors"] = body.get("bypass_actors") or []
        if rq.token.kind != "installation" and rq.repo is not None:
            bypass = protection.may_bypass(rq.world, ruleset, rq.user, rq.token, rq.repo, True)
            always = bypass and protection.may_bypass(rq.world, ruleset, rq.user, rq.token, rq.repo, False)
            made["current_user_can_bypass"] = "always" if always else "pull_requests_only" if bypass else "never"
    return made


def may_change(rq, ruleset):
    if rq.token.kind == "installation":
        name = "organization_administration" if isinstance(ruleset.source, Organisation) else "administration"
        return rq.token.permissions.get(name) == "write"
    if isinstance(ruleset.source, Organisation):
        return rq.owner(ruleset.source)
    return rq.world.permission(rq.user, ruleset.source) == "admin" if rq.user else False


def ruleset_named(rq, *homes):
    number = rq.params["ruleset_id"]
    for home in homes:
        if number.isdigit() and int(number) in home.rulesets:
            return home.rulesets[int(number)]
    raise Refused(404, "Not Found")


def add(rq, home):
    taken = any(r.body["name"] == rq.body["name"] for r in home.rulesets.values())
    nameless = any(a["actor_type"] in ("Team", "Integration", "User", "RepositoryRole") and a.get("actor_id") is None for a in rq.body.get("bypass_actors") or [])
    if taken or nameless:
        raise Refused(422, "Validation Failed", errors=[{"resource": "RepositoryRuleset", "field": "name" if taken else "bypass_actors", "code": "invalid"}])
    at, number = rq.now(), rq.world.next_id("ruleset")
    made = home.rulesets[number] = Ruleset(number, home, at, at, {key: rq.body[key] for key in MEMBERS if key in rq.body})
    made.versions.append((rq.world.next_id("version"), rq.user, at, dict(made.body)))
    events.audit(rq.world, rq.org, "repository_ruleset.create", rq.user, rq.repo, name=made.body["name"])
    return 201, show(rq, made, True)


def change(rq, ruleset):
    ruleset.body |= {key: rq.body[key] for key in MEMBERS if key in rq.body}
    ruleset.updated_at = rq.now()
    ruleset.versions.append((rq.world.next_id("version"), rq.user, rq.now(), dict(ruleset.body)))
    events.audit(rq.world, rq.org, "repository_ruleset.update", rq.user, rq.repo, name=ruleset.body["name"])
    return show(rq, ruleset, True)


def remove(rq, home, ruleset):
    del home.rulesets[ruleset.id]
    events.audit(rq.world, rq.org, "repository_ruleset.destroy", rq.user, rq.repo, name=ruleset.body["name"])
    return 204, None


def version(entry):
    return {"version_id": entry[0], "actor": {"id": entry[1].id, "type": entry[1].type}, "updated_at": iso(entry[2])}


@route("GET", "/orgs/{org}/rulesets", "organization_administration:write")
def organisation_rulesets(rq):
    return Page(list(rq.org.rulesets.values()), lambda r: show(rq, r))


@route("GET", "/orgs/{org}/rulesets/{ruleset_id}", "organization_administration:write")
def organisation_ruleset(rq):
    return show(rq, ruleset_named(rq, rq.org), True)


@route("POST", "/orgs/{org}/rulesets", "organization_administration:write")
def create_organisation_ruleset(rq):
    return add(rq, rq.org)


@route("PUT", "/orgs/{org}/rulesets/{ruleset_id}", "organization_administration:write")
def change_organisation_ruleset(rq):
    return change(rq, ruleset_named(rq, rq.org))


@route("DELETE", "/orgs/{org}/rulesets/{ruleset_id}", "organization_administration:write")
def delete_organisation_ruleset(rq):
    return remove(rq, rq.org, ruleset_named(rq, rq.org))


@route("GET", "/orgs/{org}/rulesets/{ruleset_id}/history", "organization_administration:write")
def organisation_ruleset_history(rq):
    return Page(ruleset_named(rq, rq.org).versions[::-1], version)


@route("GET", "/repos/{owner}/{repo}/rulesets", "metadata:read")
def rulesets(rq):
    """Those of the organisation too, where they reach this repository, unless told otherwise."""
    above = [r for r in rq.org.rulesets.values() if protection.covers_repository(r.body.get("conditions") or {}, rq.repo)]
    own = list(rq.repo.rulesets.values())
    return Page((above if rq.query.get("includes_parents", "true") != "false" else []) + own, lambda r: show(rq, r))


@route("GET", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", "metadata:read")
def ruleset(rq):
    homes = (rq.repo,) if rq.query.get("includes_parents") == "false" else (rq.repo, rq.org)
    return show(rq, ruleset_named(rq, *homes), True)


@route("POST", "/repos/{owner}/{repo}/rulesets", "administration:write")
def create_ruleset(rq):
    return add(rq, rq.repo)


@route("PUT", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", "administration:write")
def change_ruleset(rq):
    return change(rq, ruleset_named(rq, rq.repo))


@route("DELETE", "/repos/{owner}/{repo}/rulesets/{ruleset_id}", "administration:write")
def delete_ruleset(rq):
    return remove(rq, rq.repo, ruleset_named(rq, rq.repo))


@route("GET", "/repos/{owner}/{repo}/rulesets/{ruleset_id}/history", "administration:write")
def ruleset_history(rq):
    return Page(ruleset_named(rq, rq.repo).versions[::-1], version)


@route("GET", "/repos/{owner}/{repo}/rulesets/{ruleset_id}/history/{version_id}", "administration:write")
def ruleset_version(rq):
    found = next((v for v in ruleset_named(rq, rq.repo).versions if str(v[0]) == rq.params["version_id"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    return version(found) | {"state": found[3]}


# ---- In force ----------------------------------------------------------------------------------------------------------------


@route("GET", "/repos/{owner}/{repo}/rules/branches/{branch}", "metadata:read")
def branch_rules(rq):
    """Of all active rulesets, evaluated ones left out; never classic protection.  (rest/repos/rules#get-rules-for-a-branch)"""
    found = []
    for each in protection.rulesets(rq.repo, rq.params["branch"]):
        own = isinstance(each.source, Organisation)
        info = {"ruleset_source_type": "Organization" if own else "Repository", "ruleset_source": each.source.login if own else each.source.full_name,
                "ruleset_id": each.id}
        found += [rule | info for rule in each.body.get("rules") or []]
    return Page(found, lambda rule: rule)


# ---- Rule suites ---------------------------------------------------------------------------------------------------------------


def suite(repo):
    def show_suite(each):
        made = {"id": each["id"], "actor_id": each["actor"].id, "actor_name": each["actor"].login, "before_sha": each["before"], "after_sha": each["after"],
                "ref": each["ref"], "repository_id": repo.id, "repository_name": repo.name, "pushed_at": iso(each["at"]), "result": each["result"]}
        return made | ({"evaluation_result": each["evaluation_result"]} if each["evaluation_result"] else {})

    return show_suite


def chosen_suites(rq, suites):
    """By default those of the last day; a month at most.  (rest/repos/rule-suites#list-repository-rule-suites)"""
    period, result, query = rq.query.get("time_period", "day"), rq.query.get("rule_suite_result", "all"), rq.query
    if period not in ("hour", "day", "week", "month"):
        raise Refused(422, "Invalid time_period")
    oldest = rq.now() - PERIODS[period]
    return [s for s in suites if s["at"] >= oldest and result in ("all", s["result"]) and query.get("actor_name", s["actor"].login) == s["actor"].login
            and query.get("ref", s["ref"]) in (s["ref"], s["ref"].removeprefix("refs/heads/"))][::-1]


@route("GET", "/repos/{owner}/{repo}/rulesets/rule-suites", "administration:read")
def rule_suites(rq):
    return Page(chosen_suites(rq, rq.repo.rule_suites), suite(rq.repo))


def whole_suite(repo, each):
    evaluations = []
    for e in each["evaluations"]:
        source = {"type": "protected_branch", "id": None, "name": None} if e.source is None else {"type": "ruleset", "id": e.source.id, "name": e.source.body["name"]}
        evaluations.append({"rule_source": source, "enforcement": e.enforcement, "result": "pass" if e.passed else "fail", "rule_type": e.rule, "details": e.details})
    return suite(repo)(each) | {"evaluation_result": each["evaluation_result"], "rule_evaluations": evaluations}


@route("GET", "/repos/{owner}/{repo}/rulesets/rule-suites/{rule_suite_id}", "administration:read")
def rule_suite(rq):
    found = next((s for s in rq.repo.rule_suites if str(s["id"]) == rq.params["rule_suite_id"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    return whole_suite(rq.repo, found)


@route("GET", "/orgs/{org}/rulesets/rule-suites", "organization_administration:write")
def organisation_rule_suites(rq):
    named = rq.query.get("repository_name")
    found = [(s, r) for r in rq.org.repositories.values() if named in (None, r.name) for s in chosen_suites(rq, r.rule_suites)]
    found.sort(key=lambda pair: (pair[0]["at"], pair[0]["id"]), reverse=True)
    return Page(found, lambda pair: suite(pair[1])(pair[0]))


@route("GET", "/orgs/{org}/rulesets/rule-suites/{rule_suite_id}", "organization_administration:write")
def organisation_rule_suite(rq):
    for repo in rq.org.repositories.values():
        for each in repo.rule_suites:
            if str(each["id"]) == rq.params["rule_suite_id"]:
                return whole_suite(repo, each)
    raise Refused(404, "Not Found")
