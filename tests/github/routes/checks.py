"""Check runs, check suites and commit statuses: what machines said of a commit."""
from .. import events, render
from ..access import Refused
from ..app import Page, route
from ..state import CheckRun, CheckSuite, Status, iso, node_id, seconds


def sha_of(rq, name="ref"):
    sha = rq.repo.head(rq.params[name])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {rq.params[name]}", errors=[])
    return sha


def pulls_at(repo, sha):
    """`pull-request-minimal` of the open pull requests whose head this is."""
    short = {"id": repo.id, "url": render.repository_url(repo), "name": repo.name}
    return [{"id": p.id, "number": p.number, "url": f"{render.repository_url(repo)}/pulls/{p.number}", "head": {"ref": p.head_ref, "sha": p.head_sha, "repo": short},
             "base": {"ref": p.base_ref, "sha": p.base_sha, "repo": short}} for p in repo.by_commit.get(sha, []) if p.head_sha == sha and p.state == "open"]


def check_run(repo):
    def show(run):
        url = f"{render.repository_url(repo)}/check-runs/{run.id}"
        web = f"{render.WEB}/{repo.full_name}/runs/{run.id}"
        output = run.output or {}
        return {"id": run.id, "name": run.name, "node_id": node_id("CR", repo.id, run.id), "head_sha": run.suite.sha, "external_id": run.external_id, "url": url,
                "html_url": web, "details_url": run.details_url or web, "status": run.status, "conclusion": run.conclusion, "started_at": iso(run.started_at),
                "completed_at": iso(run.completed_at),
                "output": {"title": output.get("title"), "summary": output.get("summary"), "text": output.get("text"),
                           "annotations_count": len(output.get("annotations", [])), "annotations_url": f"{url}/annotations"},
                "check_suite": {"id": run.suite.id}, "app": render.app(run.suite.app), "pull_requests": pulls_at(repo, run.suite.sha)}

    return show


def state_of(suite):
    """(status, conclusion) of a suite: the worst of the newest runs of each name."""
    newest = {run.name: run for run in suite.runs}.values()
    if not newest:
        return "queued", None
    if any(run.status != "completed" for run in newest):
        return "in_progress", None
    said = {run.conclusion for run in newest}
    for conclusion in ("failure", "timed_out", "action_required", "cancelled", "stale"):
        if conclusion in said:
            return "completed", conclusion
    return "completed", "success" if "success" in said else "neutral"


def check_suite(rq):
    def show(suite):
        repo, (status, conclusion) = rq.repo, state_of(suite)
        commit = repo.commits[suite.sha]
        url = f"{render.repository_url(repo)}/check-suites/{suite.id}"
        return {"id": suite.id, "node_id": node_id("CS", repo.id, suite.id), "head_branch": suite.branch, "head_sha": suite.sha, "status": status,
                "conclusion": conclusion, "url": url, "before": commit.parents[0] if commit.parents else "0" * 40, "after": suite.sha,
                "pull_requests": pulls_at(repo, suite.sha), "app": render.app(suite.app),
                "repository": render.repository(rq.world, repo) | {"custom_properties": {}}, "created_at": iso(suite.created_at),
                "updated_at": iso(suite.updated_at), "rerequestable": True, "runs_rerequestable": True,
                "latest_check_runs_count": len({run.name for run in suite.runs}), "check_runs_url": f"{url}/check-runs",
                "head_commit": render.commit_simple(commit)}

    return show


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-runs", "checks:read")
def check_runs(rq):
    """The newest of each name and App, or `filter=all`.  (rest/checks/runs#list-check-runs-for-a-git-reference)"""
    query, found = rq.query, []
    for suite in rq.repo.suites.get(sha_of(rq), []):
        runs = suite.runs if query.get("filter") == "all" else list({run.name: run for run in suite.runs}.values())
        found += [r for r in runs if query.get("check_name", r.name) == r.name and query.get("status", r.status) == r.status
                  and query.get("app_id", str(suite.app.id)) == str(suite.app.id)]
    return Page(found[::-1], check_run(rq.repo), lambda items, total: {"total_count": total, "check_runs": items})


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/check-suites", "checks:read")
def check_suites(rq):
    found = [s for s in rq.repo.suites.get(sha_of(rq), []) if rq.query.get("app_id", str(s.app.id)) == str(s.app.id)]
    return Page(found, check_suite(rq), lambda items, total: {"total_count": total, "check_suites": items})


@route("GET", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:read")
def get_check_run(rq):
    return check_run(rq.repo)(run_numbered(rq))


def run_numbered(rq):
    text = rq.params["check_run_id"]
    found = rq.repo.check_runs.get(int(text)) if text.isdigit() else None
    if found is None:
        raise Refused(404, "Not Found")
    return found


def apps_only(rq):
    if rq.token.kind != "installation":  # rest/checks/runs#create-a-check-run
        raise Refused(403, "You must authenticate via a GitHub App.")


@route("POST", "/repos/{owner}/{repo}/check-runs", "checks:write", open_to_role=True)
def create_check_run(rq):
    apps_only(rq)
    repo, sha, at = rq.repo, rq.repo.head(rq.body["head_sha"]), rq.now()
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {rq.body['head_sha']}", errors=[])
    suites = repo.suites.setdefault(sha, [])
    suite = next((s for s in suites if s.app is rq.token.app), None)
    if suite is None:
        branch = next((b.name for b in repo.branches.values() if b.sha == sha), None)
        suite = CheckSuite(rq.world.next_id("suite"), rq.token.app, sha, branch, at, at)
        suites.append(suite)
        events.emit(rq.world, "check_suite", "requested", rq.org, rq.user, repo, check_suite=hooked_suite(rq, suite))
    run = CheckRun(rq.world.next_id("run"), suite, rq.body["name"], "queued", None, at, None, rq.body.get("external_id", ""), rq.body.get("details_url"))
    suite.runs.append(run)
    repo.check_runs[run.id] = run
    progress(rq, run, "created")
    return 201, check_run(repo)(run)


@route("PATCH", "/repos/{owner}/{repo}/check-runs/{check_run_id}", "checks:write", open_to_role=True)
def change_check_run(rq):
    apps_only(rq)
    run = run_numbered(rq)
    run.name = rq.body.get("name", run.name)
    progress(rq, run, None)
    return check_run(rq.repo)(run)


def progress(rq, run, action):
    body, at = rq.body, rq.now()
    run.output = body.get("output", run.output)
    if body.get("started_at"):
        run.started_at = seconds(body["started_at"])
    if "conclusion" in body:
        run.status, run.conclusion = "completed", body["conclusion"]
        run.completed_at = seconds(body["completed_at"]) if body.get("completed_at") else at
    else:
        run.status = body.get("status", run.status)
    run.suite.updated_at = at
    if action:
        events.emit(rq.world, "check_run", action, rq.org, rq.user, rq.repo, check_run=hooked_run(rq, run))
    if run.status == "completed":
        events.emit(rq.world, "check_run", "completed", rq.org, rq.user, rq.repo, check_run=hooked_run(rq, run))
        if state_of(run.suite)[0] == "completed":
            events.emit(rq.world, "check_suite", "completed", rq.org, rq.user, rq.repo, check_suite=hooked_suite(rq, run.suite))


def hooked_suite(rq, suite):
    """A webhook names no repository inside the suite: it stands beside it."""
    made = check_suite(rq)(suite)
    del made["repository"]
    return made


def hooked_run(rq, run):
    made = check_run(rq.repo)(run)
    made["check_suite"] = {key: value for key, value in hooked_suite(rq, run.suite).items()
                           if key not in ("rerequestable", "runs_rerequestable", "latest_check_runs_count", "check_runs_url", "head_commit")}
    return made


# ---- Statuses ------------------------------------------------------------------------------------------------------------------


def status(rq, sha):
    def show(each):
        return {"url": f"{render.repository_url(rq.repo)}/statuses/{sha}", "avatar_url": f"https://avatars.githubusercontent.com/u/{each.creator.id}?v=4",
                "id": each.id, "node_id": node_id("SC", rq.repo.id, each.id), "state": each.state, "description": each.description,
                "target_url": each.target_url, "context": each.context, "created_at": iso(each.created_at), "updated_at": iso(each.created_at)}

    return show


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/statuses", "statuses:read")
def statuses(rq):
    """All of them, newest first."""
    sha = sha_of(rq)
    return Page(rq.repo.statuses.get(sha, [])[::-1], lambda each: status(rq, sha)(each) | {"creator": render.account(each.creator)})


@route("GET", "/repos/{owner}/{repo}/commits/{ref}/status", "statuses:read")
def combined_status(rq):
    """failure if any failed, pending without or with a pending one, else success.  (rest/commits/statuses#get-the-combined-status-for-a-specific-reference)"""
    sha = sha_of(rq)
    newest = list({s.context: s for s in rq.repo.statuses.get(sha, [])}.values())
    said = {s.state for s in newest}
    state = "failure" if said & {"failure", "error"} else "pending" if not said or "pending" in said else "success"
    url = f"{render.repository_url(rq.repo)}/commits/{sha}"
    repository = render.repository(rq.world, rq.repo) | {"custom_properties": {}}
    return Page(newest, status(rq, sha), lambda items, total: {"state": state, "statuses": items, "sha": sha, "total_count": total, "repository": repository,
                                                               "commit_url": url, "url": f"{url}/status"})


@route("POST", "/repos/{owner}/{repo}/statuses/{sha}", "statuses:write")
def create_status(rq):
    sha = sha_of(rq, "sha")
    made = Status(rq.world.next_id("status"), sha, rq.body.get("context", "default"), rq.body["state"], rq.user, rq.now(), rq.body.get("description"),
                  rq.body.get("target_url"))
    rq.repo.statuses.setdefault(sha, []).append(made)
    shown = status(rq, sha)(made) | {"creator": render.account(made.creator)}
    commit = render.commit(rq.repo, rq.repo.commits[sha])
    for who in ("author", "committer"):  # webhooks of this kind have the older form
        del commit[who]["user_view_type"]
    branches = [{"name": b.name, "commit": {"sha": b.sha, "url": f"{render.repository_url(rq.repo)}/commits/{b.sha}"}, "protected": b.protection is not None}
                for b in rq.repo.branches.values() if b.sha == sha]
    events.emit(rq.world, "status", None, rq.org, rq.user, rq.repo, id=made.id, sha=sha, name=rq.repo.full_name, target_url=made.target_url,
                avatar_url=shown["avatar_url"], context=made.context, description=made.description, state=made.state, commit=commit, branches=branches,
                created_at=iso(made.created_at), updated_at=iso(made.created_at))
    return 201, shown
