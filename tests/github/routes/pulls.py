"""Pull requests: commits, reviews, timeline, merge."""
from .. import events, protection, render
from ..access import Refused
from ..app import Page, route
from ..state import Pull, Review, iso, node_id
from . import contents


def association(rq, user):
    """As of this call, not as of the review.  (graphql/reference/enums#commentauthorassociation)"""
    if user is None:
        return "NONE"
    if user.login in rq.org.members:
        return "MEMBER"
    return "COLLABORATOR" if user.login in rq.repo.collaborators else "NONE"


def side(rq, pull, ref, sha, repository):
    return {"label": f"{rq.org.login}:{ref}", "ref": ref, "sha": sha, "user": render.account(rq.org), "repo": repository}


def simple(rq, pull, repository=None):
    """`pull-request-simple`. `repository`: its repository's JSON, when many of one are shown."""
    url, web = f"{render.repository_url(rq.repo)}/pulls/{pull.number}", f"{render.WEB}/{rq.repo.full_name}/pull/{pull.number}"
    issue, repository = f"{render.repository_url(rq.repo)}/issues/{pull.number}", repository or render.repository(rq.world, rq.repo)
    return {
        "url": url, "id": pull.id, "node_id": pull.node_id, "html_url": web, "diff_url": f"{web}.diff", "patch_url": f"{web}.patch", "issue_url": issue,
        "number": pull.number, "state": pull.state, "locked": False, "title": pull.title, "user": render.account(pull.author), "body": pull.body,
        "created_at": iso(pull.created_at), "updated_at": iso(pull.updated_at), "closed_at": iso(pull.closed_at), "merged_at": iso(pull.merged_at),
        "merge_commit_sha": pull.merge_sha, "assignee": None, "assignees": [], "requested_reviewers": [render.account(u) for u in pull.requested],
        "requested_teams": [render.team(t, "read") for t in pull.requested_teams], "labels": [], "milestone": None, "draft": pull.draft,
        "commits_url": f"{url}/commits", "review_comments_url": f"{url}/comments",
        "review_comment_url": f"{render.repository_url(rq.repo)}/pulls/comments{{/number}}", "comments_url": f"{issue}/comments",
        "statuses_url": f"{render.repository_url(rq.repo)}/statuses/{pull.head_sha}",
        "head": side(rq, pull, pull.head_ref, pull.head_sha, repository), "base": side(rq, pull, pull.base_ref, pull.base_sha, repository),
        "_links": {"self": {"href": url}, "html": {"href": web}, "issue": {"href": issue}, "comments": {"href": f"{issue}/comments"},
                   "review_comments": {"href": f"{url}/comments"},
                   "review_comment": {"href": f"{render.repository_url(rq.repo)}/pulls/comments{{/number}}"}, "commits": {"href": f"{url}/commits"},
                   "statuses": {"href": f"{render.repository_url(rq.repo)}/statuses/{pull.head_sha}"}},
        "author_association": association(rq, pull.author), "auto_merge": None, "active_lock_reason": None}


def full(rq, pull):
    """`pull-request`"""
    changed = changed_files(rq.repo, pull)
    opened = pull.state == "open"
    blocked = opened and any(not e.passed and e.enforcement == "active" for e in protection.evaluate(rq, rq.repo, pull.base_ref, "merge", pull.head_sha, pull))
    made = simple(rq, pull) | {
        "merged": pull.merged_at is not None, "mergeable": True if opened else None, "rebaseable": True if opened else None,
        "mergeable_state": ("blocked" if blocked else "clean") if opened else "unknown", "merged_by": render.account(pull.merged_by), "comments": 0,
        "review_comments": 0, "maintainer_can_modify": False, "commits": len(pull.commits), "additions": sum(f["additions"] for f in changed),
        "deletions": sum(f["deletions"] for f in changed), "changed_files": len(changed)}
    made["requested_teams"] = [render.team_simple(t) for t in pull.requested_teams]
    return made


def changed_files(repo, pull):
    changes = {}
    for sha in pull.commits:
        changes |= repo.commits[sha].changes
    return render.files(repo, pull.head_sha, changes, repo.files(pull.base_sha) if len(repo.commits) < 1000 else {})


def pull_numbered(rq):
    text = rq.params["pull_number"]
    found = rq.repo.pulls.get(int(text)) if text.isdigit() else None
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/repos/{owner}/{repo}/pulls", "pull_requests:read")
def pulls(rq):
    """Open ones, newest first, unless told otherwise.  (rest/pulls/pulls#list-pull-requests)"""
    query, state = rq.query, rq.query.get("state", "open")
    found = [p for p in rq.repo.pulls.values() if state in ("all", p.state) and query.get("base", p.base_ref) == p.base_ref
             and ("head" not in query or query["head"] in (f"{rq.org.login}:{p.head_ref}", p.head_ref))]
    sort = query.get("sort", "created")
    key = {"updated": lambda p: (p.updated_at, p.id), "created": lambda p: (p.created_at, p.id)}.get(sort, lambda p: (p.created_at, p.id))
    found.sort(key=key, reverse=query.get("direction", "asc" if "sort" in query else "desc") == "desc")
    repository = render.repository(rq.world, rq.repo)
    return Page(found, lambda p: simple(rq, p, repository))


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:read")
def pull(rq):
    return full(rq, pull_numbered(rq))


@route("GET", "/repos/{owner}/{repo}/commits/{commit_sha}/pulls", "pull_requests:read")
def pulls_of_commit(rq):
    """Empty for a direct push.  (rest/commits/commits#list-pull-requests-associated-with-a-commit)"""
    sha = rq.repo.head(rq.params["commit_sha"])
    if sha is None:
        raise Refused(409, f"No commit found for SHA: {rq.params['commit_sha']}")
    return Page(rq.repo.by_commit.get(sha, []), lambda p: simple(rq, p))


def touch(rq, pull, action, **more):
    pull.updated_at = rq.now()
    shown = hooked(full(rq, pull)) if action == "review_requested" else full(rq, pull)
    events.emit(rq.world, "pull_request", action, rq.org, rq.user, rq.repo, number=pull.number, pull_request=shown, **more)


def hooked(pull):
    """As webhooks about reviews have it: teams without what REST added later."""
    return pull | {"requested_teams": [hooked_team(t) for t in pull["requested_teams"]]}


def hooked_team(team):
    return {k: v for k, v in team.items() if k not in ("notification_setting", "type", "organization_id", "permissions")}


def note(rq, pull, kind, **details):
    pull.events.append((rq.now(), kind, rq.world.next_id("event"), rq.user, details))


@route("POST", "/repos/{owner}/{repo}/pulls", "pull_requests:write")
def create_pull(rq):
    repo, body = rq.repo, rq.body
    head, base = body["head"].split(":")[-1], body["base"]
    wrong = next((field for field, name in (("head", head), ("base", base)) if name not in repo.branches), None)
    if wrong:
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "field": wrong, "code": "invalid"}])
    commits = commits_between(repo, repo.branches[base].sha, repo.branches[head].sha)
    if not commits:
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom", "message": f"No commits between {base} and {head}"}])
    if any(p.state == "open" and (p.head_ref, p.base_ref) == (head, base) for p in repo.pulls.values()):
        raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "code": "custom",
                                                         "message": f"A pull request already exists for {rq.org.login}:{head}."}])
    repo.last_number += 1
    made = repo.pulls[repo.last_number] = Pull(
        rq.world.next_id("pull"), repo.last_number, repo, body.get("title", head), body.get("body"), rq.user, head, repo.branches[head].sha, base,
        repo.branches[base].sha, rq.now(), rq.now(), body.get("draft", False), commits=commits)
    for sha in commits:
        repo.by_commit.setdefault(sha, []).append(made)
    events.audit(rq.world, rq.org, "pull_request.create", rq.user, repo, data={"pull_request_id": made.id})
    touch(rq, made, "opened")
    return 201, full(rq, made)


def commits_between(repo, base, head):
    """Oldest first."""
    known = {c.sha for c in repo.history(base)}
    return [c.sha for c in repo.history(head) if c.sha not in known][::-1]


def synchronise(rq, pull, before, sha, forced):
    """Its branch moved. Approvals become stale by classic protection or ruleset of the base, if they say so."""
    pull.head_sha = sha
    pull.commits = commits_between(rq.repo, pull.base_sha, sha)
    for each in pull.commits:
        if pull not in rq.repo.by_commit.setdefault(each, []):
            rq.repo.by_commit[each].append(pull)
    if forced:
        note(rq, pull, "head_ref_force_pushed", commit=sha)
    base = rq.repo.branches.get(pull.base_ref)
    classic = ((base.protection or {}).get("required_pull_request_reviews") or {}) if base else {}
    dismiss = classic.get("dismiss_stale_reviews") or any(
        rule["type"] == "pull_request" and rule["parameters"]["dismiss_stale_reviews_on_push"]
        for ruleset in protection.rulesets(rq.repo, pull.base_ref) for rule in ruleset.body.get("rules") or [])
    for review in pull.reviews if dismiss else []:
        if review.state == "APPROVED":
            dismiss_review(rq, pull, review, None, sha)
    touch(rq, pull, "synchronize", before=before, after=sha)


@route("PATCH", "/repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:write")
def change_pull(rq):
    found, body = pull_numbered(rq), rq.body
    found.title, found.body = body.get("title", found.title), body.get("body", found.body)
    if body.get("base", found.base_ref) != found.base_ref:
        note(rq, found, "base_ref_changed", before=found.base_ref, now=body["base"])
        found.base_ref, found.base_sha = body["base"], rq.repo.branches[body["base"]].sha
    if body.get("state", found.state) != found.state:
        if found.merged_at is not None:
            raise Refused(422, "Validation Failed", errors=[{"resource": "PullRequest", "field": "state", "code": "invalid"}])
        found.state = body["state"]
        found.closed_at = rq.now() if found.state == "closed" else None
        note(rq, found, "closed" if found.state == "closed" else "reopened")
        touch(rq, found, "closed" if found.state == "closed" else "reopened")
    else:
        touch(rq, found, "edited", changes={})
    return full(rq, found)


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/commits", "pull_requests:read")
def pull_commits(rq):
    """250 at most.  (rest/pulls/pulls#list-commits-on-a-pull-request)"""
    return Page([rq.repo.commits[sha] for sha in pull_numbered(rq).commits], lambda c: render.commit(rq.repo, c), maximum=250)


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests:read")
def pull_files(rq):
    """3,000 at most.  (rest/pulls/pulls#list-pull-requests-files)"""
    return Page(changed_files(rq.repo, pull_numbered(rq)), lambda each: each, maximum=3000)


# ---- Reviews ---------------------------------------------------------------------------------------------------------------


def review(rq, pull):
    url, web = f"{render.repository_url(rq.repo)}/pulls/{pull.number}", f"{render.WEB}/{rq.repo.full_name}/pull/{pull.number}"

    def show(each):
        made = {"id": each.id, "node_id": node_id("PRR", rq.repo.id, each.id), "user": render.account(each.user), "body": each.body, "state": each.state,
                "html_url": f"{web}#pullrequestreview-{each.id}", "pull_request_url": url, "author_association": association(rq, each.user),
                "_links": {"html": {"href": f"{web}#pullrequestreview-{each.id}"}, "pull_request": {"href": url}}, "commit_id": each.commit_id}
        return made if each.state == "PENDING" else made | {"submitted_at": iso(each.submitted_at)}

    return show


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:read")
def reviews(rq):
    """In the order in which they were made; a pending one shows to its author only."""
    found = pull_numbered(rq)
    return Page([r for r in found.reviews if r.state != "PENDING" or r.user is rq.user], review(rq, found))


def review_numbered(rq, pull):
    made = next((r for r in pull.reviews if str(r.id) == rq.params["review_id"]), None)
    if made is None:
        raise Refused(404, "Not Found")
    return made


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}", "pull_requests:read")
def get_review(rq):
    found = pull_numbered(rq)
    return review(rq, found)(review_numbered(rq, found))


STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED", None: "PENDING"}


@route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "pull_requests:write")
def create_review(rq):
    found, event = pull_numbered(rq), rq.body.get("event")
    if event in ("APPROVE", "REQUEST_CHANGES"):
        if rq.user is found.author:
            what = "approve" if event == "APPROVE" else "request changes on"
            raise Refused(422, "Unprocessable Entity", errors=[f"Can not {what} your own pull request"])
        if event == "APPROVE" and rq.user.login == "github-actions[bot]" and not (
                rq.repo.workflow["can_approve_pull_request_reviews"] and rq.org.workflow["can_approve_pull_request_reviews"]):
            raise Refused(422, "Unprocessable Entity", errors=["GitHub Actions is not permitted to approve pull requests."])
    made = Review(rq.world.next_id("review"), rq.user, STATES[event], rq.body.get("body", ""), rq.body.get("commit_id", found.head_sha), rq.now())
    found.reviews.append(made)
    if rq.user in found.requested:
        found.requested.remove(rq.user)
    submitted(rq, found, made)
    return review(rq, found)(made)


def submitted(rq, pull, made):
    if made.state == "PENDING":
        return
    pull.updated_at = rq.now()
    events.audit(rq.world, rq.org, "pull_request_review.submit", rq.user, rq.repo, data={"pull_request_id": pull.id, "state": made.state.lower()})
    events.emit(rq.world, "pull_request_review", "submitted", rq.org, rq.user, rq.repo, review=webhook_review(rq, pull, made),
                pull_request=hooked(simple(rq, pull)))


def webhook_review(rq, pull, made):
    """As REST, but with the state in small letters and `updated_at`."""
    return review(rq, pull)(made) | {"state": made.state.lower(), "updated_at": iso(rq.now())}


@route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/events", "pull_requests:write")
def submit_review(rq):
    found = pull_numbered(rq)
    made = review_numbered(rq, found)
    if made.state != "PENDING" or made.user is not rq.user:
        raise Refused(422, "Unprocessable Entity", errors=["Could not submit a review that is not pending."])
    made.state, made.submitted_at, made.body = STATES[rq.body["event"]], rq.now(), rq.body.get("body", made.body)
    submitted(rq, found, made)
    return review(rq, found)(made)


def dismiss_review(rq, pull, made, message, commit=None):
    """Overwrites the state of the same review: only the timeline still knows what it was."""
    details = {"state": made.state.lower(), "review_id": made.id, "dismissal_message": message}
    if commit:
        details["dismissal_commit_id"] = commit
    made.state = "DISMISSED"
    note(rq, pull, "review_dismissed", review=details)
    pull.updated_at = rq.now()
    events.audit(rq.world, rq.org, "pull_request_review.dismiss", rq.user, rq.repo, data={"pull_request_id": pull.id})
    events.emit(rq.world, "pull_request_review", "dismissed", rq.org, rq.user, rq.repo, review=webhook_review(rq, pull, made), pull_request=hooked(simple(rq, pull)))


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}/dismissals", "pull_requests:write")
def dismiss(rq):
    found = pull_numbered(rq)
    made = review_numbered(rq, found)
    if rq.permission() in ("read", "triage"):
        raise Refused(403, "Must have write access to dismiss a review.")
    if made.state not in ("APPROVED", "CHANGES_REQUESTED"):
        raise Refused(422, "Unprocessable Entity", errors=["Can not dismiss a commented pull request review"])
    dismiss_review(rq, found, made, rq.body["message"])
    return review(rq, found)(made)


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", "pull_requests:read")
def requested_reviewers(rq):
    found = pull_numbered(rq)
    return {"users": [render.account(u) for u in found.requested], "teams": [render.team(t, "read") for t in found.requested_teams]}


@route("POST", "/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", "pull_requests:write")
def request_reviewers(rq):
    found = pull_numbered(rq)
    for login in rq.body.get("reviewers", []):
        user = rq.world.user(login)
        if user is None or user is found.author or rq.world.permission(user, rq.repo) == "none":
            raise Refused(422, "Reviews may only be requested from collaborators.", errors=[])
        if user not in found.requested:
            found.requested.append(user)
            note(rq, found, "review_requested", reviewer=user)
            touch(rq, found, "review_requested", requested_reviewer=render.account(user))
    for slug in rq.body.get("team_reviewers", []):
        if slug in rq.org.teams and rq.org.teams[slug] not in found.requested_teams:
            found.requested_teams.append(rq.org.teams[slug])
            note(rq, found, "review_requested", team=rq.org.teams[slug])
            touch(rq, found, "review_requested", requested_team=hooked_team(render.team(rq.org.teams[slug], "read")))
    return 201, simple(rq, found)


# ---- Timeline ----------------------------------------------------------------------------------------------------------------


@route("GET", "/repos/{owner}/{repo}/issues/{issue_number}/timeline", "issues:read", "pull_requests:read")
def timeline(rq):
    """Commits, reviews and events as one, in time order.  (rest/issues/timeline)"""
    text = rq.params["issue_number"]
    found = rq.repo.pulls.get(int(text)) if text.isdigit() else None
    if found is None:
        if not text.isdigit() or int(text) not in rq.repo.issues:
            raise Refused(404, "Not Found")
        return Page([], lambda each: each)
    items = [(rq.repo.commits[sha].date, 0, "committed", rq.repo.commits[sha]) for sha in found.commits]
    items += [(r.submitted_at, 1, "reviewed", r) for r in found.reviews if r.state != "PENDING"]
    items += [(entry[0], 2, entry[1], entry) for entry in found.events]
    items.sort(key=lambda item: item[:2])
    return Page(items, lambda item: timeline_item(rq, found, item[2], item[3]))


def timeline_item(rq, pull, kind, thing):
    if kind == "committed":
        return {"event": "committed"} | render.git_commit(rq.repo, thing)
    if kind == "reviewed":
        return review(rq, pull)(thing) | {"event": "reviewed", "state": thing.state.lower(), "updated_at": iso(thing.submitted_at)}
    at, _, number, actor, details = thing
    made = {"id": number, "node_id": node_id("EV", rq.repo.id, number), "url": f"{render.repository_url(rq.repo)}/issues/events/{number}",
            "actor": render.account(actor), "event": kind, "commit_id": None, "commit_url": None, "created_at": iso(at), "performed_via_github_app": None}
    if "commit" in details:
        made |= {"commit_id": details["commit"], "commit_url": f"{render.repository_url(rq.repo)}/commits/{details['commit']}"}
    if "review" in details:
        made["dismissed_review"] = details["review"]
    if "reviewer" in details:
        made |= {"review_requester": render.account(actor), "requested_reviewer": render.account(details["reviewer"])}
    if "team" in details:
        made |= {"review_requester": render.account(actor), "requested_team": render.team(details["team"], "read")}
    return made


# ---- Merge -------------------------------------------------------------------------------------------------------------------


@route("GET", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", "pull_requests:read")
def is_merged(rq):
    if pull_numbered(rq).merged_at is None:
        raise Refused(404, "Not Found")
    return 204, None


@route("PUT", "/repos/{owner}/{repo}/pulls/{pull_number}/merge", "contents:write", open_to_role=True)
def merge(rq):
    """405 when it may not be merged, 409 when the head is not the one that was seen.  (rest/pulls/pulls#merge-a-pull-request)"""
    contents.writer(rq)
    found, repo, body = pull_numbered(rq), rq.repo, rq.body or {}
    if found.state != "open" or found.draft or found.base_ref not in repo.branches:
        raise Refused(405, "Pull Request is not mergeable")
    if body.get("sha", found.head_sha) != found.head_sha:
        raise Refused(409, "Head branch was modified. Review and try the merge again.")
    method = body.get("merge_method", "merge")
    if not repo.options.get({"merge": "allow_merge_commit", "squash": "allow_squash_merge", "rebase": "allow_rebase_merge"}[method], True):
        raise Refused(405, f"{method.title()} merges are not allowed on this repository.")
    base = repo.branches[found.base_ref].sha
    # The rules look at the head; the commit that the merge will make comes after them.
    why = protection.conclude(rq, repo, found.base_ref, base, found.head_sha, protection.evaluate(rq, repo, found.base_ref, "merge", found.head_sha, found))
    if why:
        raise Refused(405, why)
    sha = merge_commit(rq, found, base, method, body)
    if protected_suites := [s for s in repo.rule_suites[-1:] if s["after"] == found.head_sha]:
        protected_suites[0]["after"] = sha
    found.state, found.closed_at, found.merged_at, found.merged_by, found.merge_sha = "closed", rq.now(), rq.now(), rq.user, sha
    repo.by_commit.setdefault(sha, []).append(found)
    rq.world.move(repo, found.base_ref, sha, rq.user, "pr_merge", rq.now())
    note(rq, found, "merged", commit=sha)
    note(rq, found, "closed")
    events.audit(rq.world, rq.org, "pull_request.merge", rq.user, repo, data={"pull_request_id": found.id})
    touch(rq, found, "closed")
    contents.emit_push(rq, found.base_ref, base, sha, "pr_merge")
    if repo.options.get("delete_branch_on_merge") and found.head_ref in repo.branches:
        del repo.branches[found.head_ref]
    return {"sha": sha, "merged": True, "message": "Pull Request successfully merged"}


def merge_commit(rq, pull, base, method, body):
    repo, web = rq.repo, rq.world.user("github-web-flow")
    title = body.get("commit_title") or (f"{pull.title} (#{pull.number})" if method == "squash" else f"Merge pull request #{pull.number} from {pull.head_ref}")
    if method == "rebase":
        for sha in pull.commits:
            old = repo.commits[sha]
            base = rq.world.commit(repo, (base,), old.author, old.message, old.changes, rq.now(), rq.user)
        return base
    changes = {}
    for sha in pull.commits:
        changes |= repo.commits[sha].changes
    parents = (base,) if method == "squash" else (base, pull.head_sha)
    return rq.world.commit(repo, parents, pull.author if method == "squash" else rq.user, title, changes, rq.now(), web, True)
