"""Issues: what a team that keeps its tickets on GitHub has. Every pull request is an issue too."""
from .. import render
from ..access import Refused
from ..app import Page, route
from ..state import Issue, Pull, iso, seconds
from .pulls import association


def show(rq, each):
    url, pull = f"{render.repository_url(rq.repo)}/issues/{each.number}", isinstance(each, Pull)
    web = f"{render.WEB}/{rq.repo.full_name}/{'pull' if pull else 'issues'}/{each.number}"
    labels = [] if pull else [{"id": int.from_bytes(name.encode()[:5].ljust(5)), "node_id": f"LA_{name}", "url": f"{render.repository_url(rq.repo)}/labels/{name}",
                               "name": name, "color": "ededed", "default": False, "description": None} for name in each.labels]
    assignees = [] if pull else [render.account(u) for u in each.assignees]
    made = {"id": each.id, "node_id": each.node_id, "url": url, "repository_url": render.repository_url(rq.repo), "labels_url": f"{url}/labels{{/name}}",
            "comments_url": f"{url}/comments", "events_url": f"{url}/events", "html_url": web, "number": each.number, "state": each.state, "title": each.title,
            "body": each.body, "user": render.account(each.author), "labels": labels, "assignee": assignees[0] if assignees else None, "assignees": assignees,
            "milestone": None, "locked": False, "active_lock_reason": None, "comments": 0, "closed_at": iso(each.closed_at), "created_at": iso(each.created_at),
            "updated_at": iso(each.updated_at), "author_association": association(rq, each.author), "timeline_url": f"{url}/timeline",
            "performed_via_github_app": None, "state_reason": None if pull else each.state_reason,
            "closed_by": None if pull else render.account(each.closed_by)}
    if pull:
        link = f"{render.repository_url(rq.repo)}/pulls/{each.number}"
        made |= {"draft": each.draft, "pull_request": {"url": link, "html_url": web, "diff_url": f"{web}.diff", "patch_url": f"{web}.patch",
                                                       "merged_at": iso(each.merged_at)}}
    return made


@route("GET", "/repos/{owner}/{repo}/issues", "issues:read")
def issues(rq):
    """rest/issues/issues#list-repository-issues"""
    query, state = rq.query, rq.query.get("state", "open")
    since = seconds(query["since"]) if query.get("since") else 0
    labels = set(filter(None, query.get("labels", "").split(",")))
    found = [i for i in [*rq.repo.issues.values(), *rq.repo.pulls.values()] if state in ("all", i.state) and i.updated_at >= since
             and labels <= set(getattr(i, "labels", []))]
    member = {"updated": "updated_at"}.get(query.get("sort"), "created_at")
    found.sort(key=lambda i: (getattr(i, member), i.number), reverse=query.get("direction", "desc") == "desc")
    return Page(found, lambda i: show(rq, i))


def issue_numbered(rq):
    text = rq.params["issue_number"]
    found = (rq.repo.issues.get(int(text)) or rq.repo.pulls.get(int(text))) if text.isdigit() else None
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:read")
def issue(rq):
    return show(rq, issue_numbered(rq))


@route("POST", "/repos/{owner}/{repo}/issues", "issues:write")
def create_issue(rq):
    repo, labels = rq.repo, [label if isinstance(label, str) else label["name"] for label in rq.body.get("labels", [])]
    repo.last_number += 1
    made = repo.issues[repo.last_number] = Issue(rq.world.next_id("issue"), repo.last_number, repo, str(rq.body["title"]), rq.body.get("body"), rq.user, labels,
                                                 rq.now(), rq.now())
    made.assignees = [u for u in map(rq.world.user, rq.body.get("assignees", [])) if u]
    return 201, show(rq, made)


@route("PATCH", "/repos/{owner}/{repo}/issues/{issue_number}", "issues:write")
def change_issue(rq):
    found, body = issue_numbered(rq), rq.body
    if isinstance(found, Pull):
        raise Refused(422, "Pull requests are changed by their own call here.", errors=[])
    found.title, found.body = str(body.get("title", found.title)), body.get("body", found.body)
    if "labels" in body:
        found.labels = [label if isinstance(label, str) else label["name"] for label in body["labels"]]
    if "assignees" in body:
        found.assignees = [u for u in map(rq.world.user, body["assignees"]) if u]
    if body.get("state", found.state) != found.state:
        found.state, closed = body["state"], body["state"] == "closed"
        found.closed_at, found.closed_by = (rq.now(), rq.user) if closed else (None, None)
        found.state_reason = body.get("state_reason") or ("completed" if closed else "reopened")
    found.updated_at = rq.now()
    return show(rq, found)
