"""Code scanning, secret scanning and Dependabot. Their alerts come as they do at GitHub: from an uploaded SARIF file, from a pushed secret, from a pushed
manifest with a vulnerable version in it. Nothing makes an alert by hand."""
import base64
import gzip
import json
import re
import uuid
import zlib

from .. import render
from ..access import Refused, sees
from ..app import Page, route
from ..state import iso, sha1

# ---- Found in a push -----------------------------------------------------------------------------------------------------------

# secret type: (name, provider, pattern)  (code-security/secret-scanning/introduction/supported-secret-scanning-patterns)
SECRETS = {"aws_access_key_id": ("Amazon AWS Access Key ID", "Amazon Web Services (AWS)", rb"\bAKIA[A-Z0-9]{16}\b"),
           "github_personal_access_token": ("GitHub Personal Access Token", "GitHub", rb"\bghp_[A-Za-z0-9]{36}\b")}

# Advisories in github.com/advisories: package: (GHSA, CVE, severity, score, first good version, summary, CWE)
ADVISORIES = {
    "pyyaml": ("GHSA-8q59-q68h-6hv4", "CVE-2020-14343", "critical", 9.8, "5.4", "Improper Input Validation in PyYAML", ("CWE-20", "Improper Input Validation")),
    "urllib3": ("GHSA-q2q7-5pp4-w6pg", "CVE-2021-33503", "high", 7.5, "1.26.5", "Catastrophic backtracking in URL authority parser",
                ("CWE-400", "Uncontrolled Resource Consumption")),
    "jinja2": ("GHSA-g3rq-g295-4j3m", "CVE-2020-28493", "medium", 5.3, "2.11.3", "Regular expression denial of service in Jinja2",
               ("CWE-400", "Uncontrolled Resource Consumption"))}


def version(text):
    return tuple(int(part) for part in re.findall(r"\d+", text))


def scan(rq, branch, sha):
    """What GitHub looks for in everything that is pushed: secrets on any branch, dependencies on the default one."""
    repo = rq.repo
    if repo.security.get("secret_scanning") == "enabled":
        for path, content in repo.commits[sha].changes.items():
            for kind, (_, _, pattern) in SECRETS.items():
                for found in re.finditer(pattern, content or b""):
                    add_secret(rq, kind, found[0].decode(), path, content[:found.start()].count(b"\n") + 1, sha)
    if repo.flags.get("vulnerability_alerts") and branch == repo.default_branch:
        scan_dependencies(rq, sha)


def add_secret(rq, kind, value, path, line, sha):
    repo = rq.repo
    if all(a["secret"] != value for a in repo.secret_alerts):
        repo.secret_alerts.append({"number": len(repo.secret_alerts) + 1, "at": rq.now(), "updated": rq.now(), "type": kind, "secret": value, "state": "open",
                                   "resolution": None, "resolved_at": None, "resolved_by": None, "comment": None, "path": path, "line": line, "sha": sha})


def scan_dependencies(rq, sha):
    repo, pinned = rq.repo, {}
    for path, content in repo.files(sha).items():
        if path.rsplit("/", 1)[-1] == "requirements.txt":
            for name, number in re.findall(r"(?m)^([A-Za-z0-9_.-]+)==([\d.]+)", content.decode()):
                pinned[name.lower(), path] = number
    for (name, path), number in pinned.items():
        known = any(a["package"] == name and a["manifest"] == path and a["state"] == "open" for a in repo.dependabot_alerts)
        if name in ADVISORIES and version(number) < version(ADVISORIES[name][4]) and not known:
            repo.dependabot_alerts.append({"number": len(repo.dependabot_alerts) + 1, "package": name, "manifest": path, "state": "open", "at": rq.now(),
                                           "updated": rq.now(), "fixed_at": None, "dismissed_at": None, "dismissed_by": None, "reason": None, "comment": None})
    for alert in repo.dependabot_alerts:
        number = pinned.get((alert["package"], alert["manifest"]))
        if alert["state"] == "open" and (number is None or version(number) >= version(ADVISORIES[alert["package"]][4])):
            alert |= {"state": "fixed", "fixed_at": rq.now(), "updated": rq.now()}


# ---- Dependabot ------------------------------------------------------------------------------------------------------------------


def dependabot_alert(repo):
    def show(alert):
        ghsa, cve, severity, score, good, summary, cwe = ADVISORIES[alert["package"]]
        package = {"ecosystem": "pip", "name": alert["package"]}
        vulnerability = {"package": package, "severity": severity, "vulnerable_version_range": f"< {good}", "first_patched_version": {"identifier": good}}
        link = f"https://github.com/advisories/{ghsa}"
        return {"number": alert["number"], "state": alert["state"],
                "dependency": {"package": package, "manifest_path": alert["manifest"], "scope": "runtime", "relationship": "direct"},
                "security_advisory": {
                    "ghsa_id": ghsa, "cve_id": cve, "summary": summary, "description": summary, "severity": severity,
                    "identifiers": [{"type": "GHSA", "value": ghsa}, {"type": "CVE", "value": cve}], "references": [{"url": link}],
                    "published_at": "2021-03-25T21:26:26Z", "updated_at": "2024-10-15T17:11:39Z", "withdrawn_at": None, "vulnerabilities": [vulnerability],
                    "cvss": {"score": score, "vector_string": None}, "cvss_severities": {"cvss_v3": {"score": score, "vector_string": None}, "cvss_v4": None},
                    "cwes": [{"cwe_id": cwe[0], "name": cwe[1]}]},
                "security_vulnerability": vulnerability, "url": f"{render.repository_url(repo)}/dependabot/alerts/{alert['number']}",
                "html_url": f"{render.WEB}/{repo.full_name}/security/dependabot/{alert['number']}", "created_at": iso(alert["at"]),
                "updated_at": iso(alert["updated"]), "dismissed_at": iso(alert["dismissed_at"]), "dismissed_by": render.account(alert["dismissed_by"]),
                "dismissed_reason": alert["reason"], "dismissed_comment": alert["comment"], "fixed_at": iso(alert["fixed_at"]), "auto_dismissed_at": None}

    return show


def chosen(rq, alerts, **usual):
    """By the filters that all three kinds share; newest first."""
    states = set(filter(None, rq.query.get("state", "").split(",")))
    found = [a for a in alerts if not states or a["state"] in states]
    sort = "updated" if rq.query.get("sort") == "updated" else "at"
    return sorted(found, key=lambda a: (a[sort], a["number"]), reverse=rq.query.get("direction", "desc") == "desc")


def across(rq, kind):
    """(alert, repository) over the organisation, of repositories that the asker may see."""
    found = [(a, r) for r in rq.org.repositories.values() if sees(rq.world, rq.token, r) for a in chosen(rq, getattr(r, kind))]
    sort = "updated" if rq.query.get("sort") == "updated" else "at"
    return sorted(found, key=lambda pair: (pair[0][sort], pair[1].id, pair[0]["number"]), reverse=rq.query.get("direction", "desc") == "desc")


def with_repository(show):
    return lambda pair: show(pair[1])(pair[0]) | {"repository": render.repository_simple(pair[1])}


@route("GET", "/repos/{owner}/{repo}/dependabot/alerts", "vulnerability_alerts:read")
def dependabot_alerts(rq):
    """Paged by cursor; 403 where they are off.  (rest/dependabot/alerts)"""
    if not rq.repo.flags.get("vulnerability_alerts"):
        raise Refused(403, "Dependabot alerts are disabled for this repository.")
    severities = set(filter(None, rq.query.get("severity", "").split(",")))
    found = [a for a in chosen(rq, rq.repo.dependabot_alerts) if not severities or ADVISORIES[a["package"]][2] in severities]
    return Page(found, dependabot_alert(rq.repo), cursor=True)


@route("GET", "/orgs/{org}/dependabot/alerts", "vulnerability_alerts:read")
def organisation_dependabot_alerts(rq):
    return Page(across(rq, "dependabot_alerts"), with_repository(dependabot_alert), cursor=True)


def numbered(rq, alerts):
    found = next((a for a in alerts if str(a["number"]) == rq.params["alert_number"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/dependabot/alerts/{alert_number}", "vulnerability_alerts:read")
def get_dependabot_alert(rq):
    return dependabot_alert(rq.repo)(numbered(rq, rq.repo.dependabot_alerts))


@route("PATCH", "/repos/{owner}/{repo}/dependabot/alerts/{alert_number}", "vulnerability_alerts:write")
def change_dependabot_alert(rq):
    alert, dismissed = numbered(rq, rq.repo.dependabot_alerts), rq.body["state"] == "dismissed"
    if dismissed and not rq.body.get("dismissed_reason"):
        raise Refused(422, "dismissed_reason is required", errors=[])
    alert |= {"state": rq.body["state"], "dismissed_at": rq.now() if dismissed else None, "dismissed_by": rq.user if dismissed else None, "updated": rq.now(),
              "reason": rq.body.get("dismissed_reason") if dismissed else None, "comment": rq.body.get("dismissed_comment") if dismissed else None}
    return dependabot_alert(rq.repo)(alert)


# ---- Secret scanning ---------------------------------------------------------------------------------------------------------------


def secret_alert(rq):
    hidden = rq.query.get("hide_secret") == "true"

    def of(repo):
        def show(alert):
            name, provider, _ = SECRETS[alert["type"]]
            url, web = f"{render.repository_url(repo)}/secret-scanning/alerts/{alert['number']}", f"{render.WEB}/{repo.full_name}"
            blob = sha1("blob", alert["path"], alert["sha"])
            made = {"number": alert["number"], "created_at": iso(alert["at"]), "updated_at": iso(alert["updated"]), "url": url,
                    "html_url": f"{web}/security/secret-scanning/{alert['number']}", "locations_url": f"{url}/locations", "state": alert["state"],
                    "resolution": alert["resolution"], "resolved_at": iso(alert["resolved_at"]), "resolved_by": render.account(alert["resolved_by"]),
                    "resolution_comment": alert["comment"], "secret_type": alert["type"], "secret_type_display_name": name, "provider": provider,
                    "validity": "unknown", "push_protection_bypassed": False, "push_protection_bypassed_by": None, "push_protection_bypassed_at": None,
                    "push_protection_bypass_request_reviewer": None, "push_protection_bypass_request_reviewer_comment": None,
                    "push_protection_bypass_request_comment": None, "push_protection_bypass_request_html_url": None, "publicly_leaked": False,
                    "multi_repo": False, "is_base64_encoded": False, "has_more_locations": False, "assigned_to": None,
                    "first_location_detected": {"path": alert["path"], "start_line": alert["line"], "end_line": alert["line"], "start_column": 1,
                                                "end_column": 1 + len(alert["secret"]), "blob_sha": blob, "blob_url": f"{render.repository_url(repo)}/git/blobs/{blob}",
                                                "commit_sha": alert["sha"], "commit_url": f"{render.repository_url(repo)}/git/commits/{alert['sha']}"}}
            return made if hidden else made | {"secret": alert["secret"]}

        return show

    return of


@route("GET", "/repos/{owner}/{repo}/secret-scanning/alerts", "secret_scanning_alerts:read")
def secret_alerts(rq):
    """404 where it is off.  (rest/secret-scanning/secret-scanning)"""
    if rq.repo.security.get("secret_scanning") != "enabled":
        raise Refused(404, "Secret scanning is disabled on this repository.")
    return Page(chosen(rq, rq.repo.secret_alerts), secret_alert(rq)(rq.repo))


@route("GET", "/orgs/{org}/secret-scanning/alerts", "secret_scanning_alerts:read")
def organisation_secret_alerts(rq):
    return Page(across(rq, "secret_alerts"), with_repository(secret_alert(rq)))


@route("GET", "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}", "secret_scanning_alerts:read")
def get_secret_alert(rq):
    return secret_alert(rq)(rq.repo)(numbered(rq, rq.repo.secret_alerts))


@route("PATCH", "/repos/{owner}/{repo}/secret-scanning/alerts/{alert_number}", "secret_scanning_alerts:write")
def change_secret_alert(rq):
    alert, resolved = numbered(rq, rq.repo.secret_alerts), rq.body["state"] == "resolved"
    if resolved and not rq.body.get("resolution"):
        raise Refused(422, "resolution is required", errors=[])
    alert |= {"state": rq.body["state"], "resolution": rq.body.get("resolution") if resolved else None, "resolved_at": rq.now() if resolved else None,
              "resolved_by": rq.user if resolved else None, "comment": rq.body.get("resolution_comment"), "updated": rq.now()}
    return secret_alert(rq)(rq.repo)(alert)


# ---- Code scanning -----------------------------------------------------------------------------------------------------------------


def severity_of(score):
    """rest/code-scanning: from the rule's `security-severity`, as CVSS grades it."""
    value = float(score or 0)
    return "critical" if value >= 9 else "high" if value >= 7 else "medium" if value >= 4 else "low" if value > 0 else None


def code_alert(repo, whole=False):
    def show(alert):
        url = f"{render.repository_url(repo)}/code-scanning/alerts/{alert['number']}"
        rule = alert["rule"] if whole else {k: v for k, v in alert["rule"].items() if k not in ("help",)}
        instance = alert["instance"] | {"state": alert["state"]}
        return {"number": alert["number"], "created_at": iso(alert["at"]), "updated_at": iso(alert["updated"]), "url": url,
                "html_url": f"{render.WEB}/{repo.full_name}/security/code-scanning/{alert['number']}", "state": alert["state"], "fixed_at": iso(alert["fixed_at"]),
                "dismissed_by": render.account(alert["dismissed_by"]), "dismissed_at": iso(alert["dismissed_at"]), "dismissed_reason": alert["reason"],
                "dismissed_comment": alert["comment"], "rule": rule, "tool": alert["tool"], "most_recent_instance": instance,
                "instances_url": f"{url}/instances"}

    return show


@route("POST", "/repos/{owner}/{repo}/code-scanning/sarifs", "security_events:write")
def upload_sarif(rq):
    """rest/code-scanning/code-scanning#upload-an-analysis-as-sarif-data"""
    repo, body = rq.repo, rq.body
    try:
        document = json.loads(gzip.decompress(base64.b64decode(body["sarif"])))
    except (ValueError, OSError, EOFError, zlib.error):
        raise Refused(400, "The SARIF file is not a gzip file in base64.") from None
    if body["commit_sha"] not in repo.commits:
        raise Refused(404, f"commit not found: {body['commit_sha']}")
    number = str(uuid.UUID(sha1(repo.id, rq.world.next_id("sarif"))[:32]))
    for run in document["runs"]:
        take_in(rq, run, number)
    return 202, {"id": number, "url": f"{render.repository_url(repo)}/code-scanning/sarifs/{number}"}


def take_in(rq, run, sarif_id):
    repo, driver, at, ref = rq.repo, run["tool"]["driver"], rq.now(), rq.body["ref"]
    tool = {"name": driver["name"], "guid": None, "version": driver.get("version")}
    rules, seen = {r["id"]: r for r in driver.get("rules", [])}, set()
    for result in run.get("results", []):
        place = result["locations"][0]["physicalLocation"]
        path, line = place["artifactLocation"]["uri"], place.get("region", {}).get("startLine", 1)
        rule = rules.get(result["ruleId"], {})
        seen.add((result["ruleId"], path))
        instance = {"ref": ref, "analysis_key": f"{driver['name']}:scan", "environment": "{}", "category": driver["name"], "commit_sha": rq.body["commit_sha"],
                    "message": {"text": result["message"]["text"]}, "classifications": [],
                    "location": {"path": path, "start_line": line, "end_line": line, "start_column": 1, "end_column": 1}}
        known = next((a for a in repo.code_alerts if a["key"] == (tool["name"], result["ruleId"], path)), None)
        if known:
            known |= {"instance": instance, "updated": at} | ({"state": "open", "fixed_at": None} if known["state"] == "fixed" else {})
            continue
        text = rule.get("shortDescription", {}).get("text", result["ruleId"])
        shown = {"id": result["ruleId"], "name": rule.get("name", result["ruleId"]), "severity": result.get("level", "warning"),
                 "security_severity_level": severity_of(rule.get("properties", {}).get("security-severity")), "description": text, "full_description": text,
                 "tags": rule.get("properties", {}).get("tags", []), "help": text}
        repo.code_alerts.append({"number": len(repo.code_alerts) + 1, "key": (tool["name"], result["ruleId"], path), "at": at, "updated": at, "state": "open",
                                 "fixed_at": None, "dismissed_at": None, "dismissed_by": None, "reason": None, "comment": None, "rule": shown, "tool": tool,
                                 "instance": instance})
    for alert in repo.code_alerts:  # gone from the default branch's newest analysis: fixed
        if ref == f"refs/heads/{repo.default_branch}" and alert["state"] == "open" and alert["key"][0] == tool["name"] and alert["key"][1:] not in seen:
            alert |= {"state": "fixed", "fixed_at": at, "updated": at}
    number = rq.world.next_id("analysis")
    repo.code_analyses.append({"at": at, "updated": at, "state": "open", "number": number, "body": {
        "ref": ref, "commit_sha": rq.body["commit_sha"], "analysis_key": f"{driver['name']}:scan", "environment": "{}", "category": driver["name"], "error": "",
        "created_at": iso(at), "results_count": len(run.get("results", [])), "rules_count": len(rules), "id": number,
        "url": f"{render.repository_url(repo)}/code-scanning/analyses/{number}", "sarif_id": sarif_id, "tool": tool, "deletable": True, "warning": ""}})


def analysed(rq):
    """Without any analysis there are no alerts to list but a 404.  (rest/code-scanning/code-scanning#list-code-scanning-alerts-for-a-repository)"""
    if not rq.repo.code_analyses:
        raise Refused(404, "no analysis found")


@route("GET", "/repos/{owner}/{repo}/code-scanning/alerts", "security_events:read")
def code_alerts(rq):
    analysed(rq)
    return Page(chosen(rq, rq.repo.code_alerts), code_alert(rq.repo))


@route("GET", "/orgs/{org}/code-scanning/alerts", "security_events:read")
def organisation_code_alerts(rq):
    return Page(across(rq, "code_alerts"), with_repository(code_alert))


@route("GET", "/repos/{owner}/{repo}/code-scanning/alerts/{alert_number}", "security_events:read")
def get_code_alert(rq):
    analysed(rq)
    return code_alert(rq.repo, True)(numbered(rq, rq.repo.code_alerts))


@route("PATCH", "/repos/{owner}/{repo}/code-scanning/alerts/{alert_number}", "security_events:write")
def change_code_alert(rq):
    analysed(rq)
    alert, dismissed = numbered(rq, rq.repo.code_alerts), rq.body["state"] == "dismissed"
    if dismissed and not rq.body.get("dismissed_reason"):
        raise Refused(400, "dismissed_reason is required")
    alert |= {"state": rq.body["state"], "dismissed_at": rq.now() if dismissed else None, "dismissed_by": rq.user if dismissed else None, "updated": rq.now(),
              "reason": rq.body.get("dismissed_reason") if dismissed else None, "comment": rq.body.get("dismissed_comment") if dismissed else None}
    return code_alert(rq.repo, True)(alert)


@route("GET", "/repos/{owner}/{repo}/code-scanning/analyses", "security_events:read")
def code_analyses(rq):
    analysed(rq)
    found = [a["body"] for a in rq.repo.code_analyses[::-1]]
    if rq.query.get("ref"):
        found = [a for a in found if rq.query["ref"] in (a["ref"], a["ref"].removeprefix("refs/heads/"))]
    if rq.query.get("tool_name"):
        found = [a for a in found if a["tool"]["name"] == rq.query["tool_name"]]
    return Page(found, lambda each: each)


@route("GET", "/repos/{owner}/{repo}/code-scanning/default-setup", "administration:read")
def default_setup(rq):
    return rq.repo.flags.get("default_setup", {"state": "not-configured", "languages": ["python"], "query_suite": "default", "threat_model": "remote",
                                               "updated_at": None, "schedule": None})


@route("PATCH", "/repos/{owner}/{repo}/code-scanning/default-setup", "administration:write")
def change_default_setup(rq):
    state = rq.body.get("state", "configured")
    rq.repo.flags["default_setup"] = {"state": state, "languages": rq.body.get("languages", ["python"]), "query_suite": rq.body.get("query_suite", "default"),
                                      "threat_model": "remote", "updated_at": iso(rq.now()), "schedule": "weekly" if state == "configured" else None}
    return {}
