"""Dependabot's alerts and deploy keys."""
from ..routes.alerts import ADVISORIES
from ..state import iso, node_id
from .types import In, connect, fields, need


def vulnerability_alerts(repo, rq, states=None, dependencyScopes=None, **page):
    need(rq, "vulnerability_alerts:read")
    return connect([In("RepositoryVulnerabilityAlert", repo, a) for a in repo.dependabot_alerts if not states or a["state"].upper() in states], **page)


def deploy_keys(repo, rq, **page):
    need(rq, "administration:read")
    return connect([In("DeployKey", repo, k) for k in repo.keys.values()], **page)


def enabled(repo, rq):
    need(rq, "vulnerability_alerts:read")
    return bool(repo.flags.get("vulnerability_alerts"))


def advisory(position):
    return lambda o, rq: ADVISORIES[o.it["package"]][position]


def as_vulnerability(o, rq):
    return In("SecurityVulnerability", o.home, o.it)


fields("Repository", vulnerabilityAlerts=vulnerability_alerts, hasVulnerabilityAlertsEnabled=enabled, deployKeys=deploy_keys)
fields("DeployKey", id=lambda o, rq: node_id("DK", o.home.id, o.it.id), title=lambda o, rq: o.it.title, key=lambda o, rq: o.it.key, readOnly=lambda o, rq: o.it.read_only,
       verified=lambda o, rq: True, enabled=lambda o, rq: o.home.org.settings["deploy_keys_enabled_for_repositories"], createdAt=lambda o, rq: iso(o.it.created_at))
fields("RepositoryVulnerabilityAlert", id=lambda o, rq: node_id("RVA", o.home.id, o.it["number"]), number=lambda o, rq: o.it["number"],
       state=lambda o, rq: o.it["state"].upper(), createdAt=lambda o, rq: iso(o.it["at"]), fixedAt=lambda o, rq: iso(o.it["fixed_at"]),
       dismissedAt=lambda o, rq: iso(o.it["dismissed_at"]), autoDismissedAt=lambda o, rq: None, dismissReason=lambda o, rq: o.it["reason"],
       dismissComment=lambda o, rq: o.it["comment"], dismisser=lambda o, rq: o.it["dismissed_by"], repository=lambda o, rq: o.home,
       vulnerableManifestPath=lambda o, rq: o.it["manifest"], vulnerableManifestFilename=lambda o, rq: o.it["manifest"].rsplit("/", 1)[-1],
       vulnerableRequirements=lambda o, rq: None, dependencyScope=lambda o, rq: "RUNTIME", securityVulnerability=as_vulnerability,
       securityAdvisory=lambda o, rq: In("SecurityAdvisory", o.home, o.it))
GRADES = {"medium": "MODERATE"}  # GraphQL's older word


def grade(o, rq):
    severity = ADVISORIES[o.it["package"]][2]
    return GRADES.get(severity, severity.upper())


fields("SecurityVulnerability", severity=grade, package=lambda o, rq: o.it["package"], vulnerableVersionRange=lambda o, rq: f"< {ADVISORIES[o.it['package']][4]}",
       firstPatchedVersion=lambda o, rq: ADVISORIES[o.it["package"]][4], advisory=lambda o, rq: In("SecurityAdvisory", o.home, o.it),
       updatedAt=lambda o, rq: "2024-10-15T17:11:39Z")
fields("SecurityAdvisoryPackage", name=lambda name, rq: name, ecosystem=lambda name, rq: "PIP")
fields("SecurityAdvisoryPackageVersion", identifier=lambda text, rq: text)
fields("SecurityAdvisory", ghsaId=advisory(0), summary=advisory(5), description=advisory(5), severity=grade, permalink=lambda o, rq: f"https://github.com/advisories/{ADVISORIES[o.it['package']][0]}",
       publishedAt=lambda o, rq: "2021-03-25T21:26:26Z", updatedAt=lambda o, rq: "2024-10-15T17:11:39Z", withdrawnAt=lambda o, rq: None,
       classification=lambda o, rq: "GENERAL")
