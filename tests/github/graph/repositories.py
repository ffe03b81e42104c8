"""Repositories, refs, commits."""
from .. import render
from ..routes.contents import CODEOWNERS
from ..state import iso, node_id, seconds
from .people import collaborators, not_found
from .types import In, connect, fields, need


def at(repo, sha):
    """A commit as GraphQL sees it; None where there is none."""
    found = repo.commits.get(sha) if sha else None
    return found and In("Commit", repo, found)


def ref(repo, name):
    found = repo.branches.get(name.removeprefix("refs/heads/"))
    return found and In("Ref", repo, found)


def refs(repo, rq, refPrefix, query=None, direction=None, orderBy=None, **page):
    found = [In("Ref", repo, b) for name, b in sorted(repo.branches.items()) if query is None or query in name]
    return connect(found if refPrefix == "refs/heads/" else [], **page)


def pull_request(repo, rq, number):
    need(rq, "pull_requests:read")
    if number not in repo.pulls:
        raise not_found("a PullRequest", f"number of {number}")
    return repo.pulls[number]


def state_of(pull):
    return "MERGED" if pull.merged_at is not None else pull.state.upper()


def pull_requests(repo, rq, states=None, orderBy=None, baseRefName=None, headRefName=None, labels=None, **page):
    """Oldest first unless told otherwise."""
    need(rq, "pull_requests:read")
    key = ("pulls", repo.id, *(states or []), *(orderBy or {}).values(), baseRefName, headRefName)
    return connect([] if labels else rq.app.once(key, lambda: listed(repo, states, orderBy, baseRefName, headRefName)), **page)


def listed(repo, states, order, base, head):
    found = [p for p in repo.pulls.values() if (not states or state_of(p) in states) and base in (None, p.base_ref) and head in (None, p.head_ref)]
    if order:
        key = {"CREATED_AT": lambda p: (p.created_at, p.id), "UPDATED_AT": lambda p: (p.updated_at, p.id)}[order["field"]]
        found.sort(key=key, reverse=order["direction"] == "DESC")
    return found


def get_object(repo, rq, oid=None, expression=None):
    return at(repo, oid or repo.head(expression))


def has_file(*paths):
    def look(repo, rq):
        sha = repo.head(repo.default_branch)
        found = repo.files(sha) if sha else {}
        return any(path in found for path in paths)

    return look


def option(name):
    return lambda repo, rq: repo.options.get(name, render.OPTIONS.get(name, render.SHOWN_TO_ALL.get(name)))


fields("Repository", id=lambda r, rq: r.node_id, databaseId=lambda r, rq: r.id, name=lambda r, rq: r.name, nameWithOwner=lambda r, rq: r.full_name,
       owner=lambda r, rq: r.org, description=lambda r, rq: r.description, isArchived=lambda r, rq: r.archived, isPrivate=lambda r, rq: r.private,
       isFork=lambda r, rq: False, isMirror=lambda r, rq: False, isDisabled=lambda r, rq: False, isLocked=lambda r, rq: False,
       isInOrganization=lambda r, rq: True, isEmpty=lambda r, rq: not r.branches, isTemplate=option("is_template"), visibility=lambda r, rq: r.visibility.upper(),
       url=lambda r, rq: f"{render.WEB}/{r.full_name}", createdAt=lambda r, rq: iso(r.created_at), updatedAt=lambda r, rq: iso(r.updated_at),
       pushedAt=lambda r, rq: iso(r.pushed_at), archivedAt=lambda r, rq: None, defaultBranchRef=lambda r, rq: ref(r, r.default_branch),
       ref=lambda r, rq, qualifiedName: ref(r, qualifiedName), refs=refs, pullRequest=pull_request, pullRequests=pull_requests, object=get_object,
       collaborators=collaborators, isSecurityPolicyEnabled=has_file("SECURITY.md", ".github/SECURITY.md", "docs/SECURITY.md"),
       squashMergeAllowed=option("allow_squash_merge"), mergeCommitAllowed=option("allow_merge_commit"), rebaseMergeAllowed=option("allow_rebase_merge"),
       autoMergeAllowed=option("allow_auto_merge"), deleteBranchOnMerge=option("delete_branch_on_merge"), forkingAllowed=option("allow_forking"),
       hasIssuesEnabled=option("has_issues"), hasWikiEnabled=option("has_wiki"), webCommitSignoffRequired=option("web_commit_signoff_required"),
       viewerPermission=lambda r, rq: rq.permission(r).upper(), viewerCanAdminister=lambda r, rq: rq.permission(r) == "admin")


def codeowners(repo, rq, refName=None):
    sha = repo.head(refName or repo.default_branch)
    found = repo.files(sha) if sha else {}
    return found if any(path in found for path in CODEOWNERS) else None


fields("Repository", codeowners=codeowners)
fields("RepositoryCodeowners", errors=lambda found, rq: [])

# ---- Refs and commits ------------------------------------------------------------------------------------------------------------------

fields("Ref", id=lambda o, rq: node_id("REF", o.home.id, int(o.it.sha[:8], 16)), name=lambda o, rq: o.it.name, prefix=lambda o, rq: "refs/heads/",
       target=lambda o, rq: at(o.home, o.it.sha), repository=lambda o, rq: o.home,
       associatedPullRequests=lambda o, rq, **more: pull_requests(o.home, rq, **more | {"headRefName": o.it.name}))


def history(o, rq, since=None, until=None, path=None, author=None, **page):
    found = [In("Commit", o.home, c) for c in o.home.history(o.it.sha) if (not since or c.date >= seconds(since)) and (not until or c.date <= seconds(until))
             and (not path or any(p.startswith(path) for p in c.changes))]
    return connect(found, **page)


def change_size(o):
    before = o.home.files(o.it.parents[0]) if o.it.parents and o.it.changes else {}
    return render.files(o.home, o.it.sha, o.it.changes, before)


def authors(o, rq, **page):
    return connect([In("GitActor", o.it, o.it.author)], **page)


fields("Commit", id=lambda o, rq: node_id("C", o.home.id, int(o.it.sha[:12], 16)), oid=lambda o, rq: o.it.sha, abbreviatedOid=lambda o, rq: o.it.sha[:7],
       message=lambda o, rq: o.it.message, messageHeadline=lambda o, rq: o.it.message.split("\n")[0], messageBody=lambda o, rq: "",
       committedDate=lambda o, rq: iso(o.it.date), authoredDate=lambda o, rq: iso(o.it.date), pushedDate=lambda o, rq: None,
       author=lambda o, rq: In("GitActor", o.it, o.it.author), committer=lambda o, rq: In("GitActor", o.it, o.it.committer), authors=authors,
       parents=lambda o, rq, **page: connect([at(o.home, p) for p in o.it.parents if p in o.home.commits], **page), history=history,
       committedViaWeb=lambda o, rq: o.it.committer.login == "github-web-flow", authoredByCommitter=lambda o, rq: o.it.author is o.it.committer,
       signature=lambda o, rq: In("GpgSignature", o.home, o.it) if o.it.verified else None, repository=lambda o, rq: o.home,
       url=lambda o, rq: f"{render.WEB}/{o.home.full_name}/commit/{o.it.sha}", changedFilesIfAvailable=lambda o, rq: len(o.it.changes),
       additions=lambda o, rq: sum(f["additions"] for f in change_size(o)), deletions=lambda o, rq: sum(f["deletions"] for f in change_size(o)),
       associatedPullRequests=lambda o, rq, orderBy=None, **page: connect(o.home.by_commit.get(o.it.sha, []), **page))
fields("GitActor", name=lambda o, rq: o.it.login, email=lambda o, rq: render.person(o.it, 0)["email"], date=lambda o, rq: iso(o.home.date),
       user=lambda o, rq: o.it if o.it.type == "User" else None)
fields("GpgSignature", isValid=lambda o, rq: True, state=lambda o, rq: "VALID", wasSignedByGitHub=lambda o, rq: True, signer=lambda o, rq: None,
       email=lambda o, rq: "noreply@github.com", verifiedAt=lambda o, rq: iso(o.it.date))
