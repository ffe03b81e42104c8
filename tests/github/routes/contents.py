"""Commits, branches as refs, files: how a stand-in without git takes a push. Every push goes by the rules of its branch."""
import base64
import re

from .. import events, protection, render
from ..access import Refused
from ..app import Page, route
from ..state import iso, node_id, seconds
from . import alerts

ZERO = "0" * 40


def writer(rq, repo=None):
    """A user needs write access, an App `contents: write`."""
    if rq.permission(repo) in ("none", "read", "triage"):
        raise Refused(403, "Resource not accessible by integration" if rq.token.kind == "installation" else "Must have push access to the repository.")


def push(rq, branch, sha, kind="push", pull=None):
    """Moves a branch, unless its rules forbid it: then a refusal with the first broken rule."""
    repo, world = rq.repo, rq.world
    before = repo.branches[branch].sha if branch in repo.branches else ZERO
    change = "create" if before == ZERO else {"force_push": "force", "pr_merge": "merge"}.get(kind, "push")
    why = protection.conclude(rq, repo, branch, before, sha, protection.evaluate(rq, repo, branch, change, sha, pull))
    if why:
        events.audit(world, rq.org, "protected_branch.rejected_ref_update", rq.user, repo, name=f"refs/heads/{branch}")
        return why
    world.move(repo, branch, sha, rq.user, "branch_creation" if before == ZERO and kind == "push" else kind, rq.now())
    events.audit(world, rq.org, "git.push", rq.user, repo)
    follow(rq, branch, before, sha, kind)
    alerts.scan(rq, branch, sha)
    emit_push(rq, branch, before, sha, kind)
    return None


def follow(rq, branch, before, sha, kind):
    """Open pull requests from this branch move with it; approvals go stale where the base's rules say so."""
    from .pulls import synchronise

    for pull in rq.repo.pulls.values():
        if pull.state == "open" and pull.head_ref == branch and pull.head_sha != sha:
            synchronise(rq, pull, before, sha, kind == "force_push")


def emit_push(rq, branch, before, sha, kind):
    repo = rq.repo
    each = repo.commits[sha]
    changed = {"added": [], "removed": [], "modified": sorted(each.changes)}
    name = {"name": each.author.login, "email": render.person(each.author, 0)["email"], "username": each.author.login}
    commit = {"id": sha, "tree_id": render.tree_of(sha), "distinct": True, "message": each.message, "timestamp": iso(each.date),
              "url": f"{render.WEB}/{repo.full_name}/commit/{sha}", "author": name, "committer": name, **changed}
    events.emit(rq.world, "push", None, rq.org, rq.user, repo, ref=f"refs/heads/{branch}", before=before, after=sha, base_ref=None, created=before == ZERO,
                deleted=False, forced=kind == "force_push", compare=f"{render.WEB}/{repo.full_name}/compare/{before[:12]}...{sha[:12]}", commits=[commit],
                head_commit=commit, pusher={"name": rq.user.login, "email": render.person(rq.user, 0)["email"]})


# ---- Files ---------------------------------------------------------------------------------------------------------------


def author_of(rq):
    """Who a commit says wrote it: linked by login, as GitHub links by e-mail address."""
    said = rq.body.get("author") or {}
    return rq.world.user(said.get("name", "")) or rq.user


def write_file(rq, content):
    writer(rq)
    repo, path, branch = rq.repo, rq.params["path"], rq.body.get("branch", rq.repo.default_branch)
    if branch not in repo.branches and repo.branches:
        raise Refused(404, f"Branch {branch} not found")
    head = repo.branches[branch].sha if branch in repo.branches else None
    old = repo.files(head).get(path) if head else None
    if old is not None and rq.body.get("sha") != render.blob(repo, path, old, branch)["sha"]:
        if rq.body.get("sha"):
            raise Refused(409, f"{path} does not match {rq.body['sha']}")
        raise Refused(422, 'Invalid request.\n\n"sha" wasn\'t supplied.', errors=[])
    # Commits by this call are signed by GitHub when an App or a person makes them  (…/managing-commit-signature-verification/about-commit-signature-verification)
    sha = rq.world.commit(repo, (head,) if head else (), author_of(rq), rq.body["message"], {path: content}, rq.now(), rq.user, rq.token.kind == "installation")
    why = push(rq, branch, sha)
    if why:
        del repo.commits[sha]
        raise Refused(409, f"Repository rule violations found\n\n{why}")
    made = {"content": None if content is None else render.blob(repo, path, content, branch), "commit": render.git_commit(repo, repo.commits[sha])}
    return old is None, made


@route("GET", "/repos/{owner}/{repo}/contents/{path}", "contents:read")
def get_contents(rq):
    ref, path = rq.query.get("ref", rq.repo.default_branch), rq.params["path"].strip("/")
    sha = rq.repo.head(ref)
    if sha is None:
        raise Refused(404, f"No commit found for the ref {ref}")
    found = rq.repo.files(sha)
    if path in found:
        return render.file_content(rq.repo, path, found[path], ref)
    below = {name[len(path) + 1:].split("/")[0] for name in found if name.startswith(path + "/")}
    if not below:
        raise Refused(404, "Not Found")
    return [directory_entry(rq.repo, f"{path}/{name}", found, ref) for name in sorted(below)]


def directory_entry(repo, path, found, ref):
    if path in found:
        return render.blob(repo, path, found[path], ref)
    return render.blob(repo, path, b"", ref) | {"type": "dir", "size": 0, "download_url": None}


@route("PUT", "/repos/{owner}/{repo}/contents/{path}", "contents:write", open_to_role=True)
def put_contents(rq):
    new, made = write_file(rq, base64.b64decode(rq.body["content"]))
    return 201 if new else 200, made


@route("DELETE", "/repos/{owner}/{repo}/contents/{path}", "contents:write", open_to_role=True)
def delete_contents(rq):
    return 200, write_file(rq, None)[1]


CODEOWNERS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")  # in that order  (…/customizing-your-repository/about-code-owners)


@route("GET", "/repos/{owner}/{repo}/codeowners/errors", "contents:read")
def codeowners_errors(rq):
    """404 without the file.  (rest/repos/repos#list-codeowners-errors)"""
    sha = rq.repo.head(rq.query.get("ref", rq.repo.default_branch))
    found = rq.repo.files(sha) if sha else {}
    path = next((p for p in CODEOWNERS if p in found), None)
    if path is None:
        raise Refused(404, "Not Found")
    faults = []
    for line, text in enumerate(found[path].decode().splitlines(), 1):
        for owner in re.finditer(r"@([\w.-]+)(?:/([\w.-]+))?", text.split("#")[0]):
            known = owner[2] in rq.org.teams if owner[2] else rq.world.user(owner[1]) is not None
            if not known:
                column = owner.start() + 1
                faults.append({"line": line, "column": column, "kind": "Unknown owner", "source": text, "suggestion": None, "path": path,
                               "message": f"Unknown owner on line {line}: make sure {owner[0]} exists and has write access to the repository\n\n  {text}"})
    return {"errors": faults}


# ---- Commits and refs ------------------------------------------------------------------------------------------------------


@route("GET", "/repos/{owner}/{repo}/commits", "contents:read")
def commits(rq):
    start = rq.query.get("sha", rq.repo.default_branch)
    sha = rq.repo.head(start)
    if sha is None:
        if not rq.repo.branches:
            raise Refused(409, "Git Repository is empty.")
        raise Refused(404, "Not Found")
    found = list(rq.repo.history(sha))
    for name, keep in (("since", lambda c, at: c.date >= at), ("until", lambda c, at: c.date <= at)):
        if rq.query.get(name):
            at = seconds(rq.query[name])
            found = [c for c in found if keep(c, at)]
    for name in ("author", "committer"):
        if rq.query.get(name):
            found = [c for c in found if getattr(c, name).login == rq.query[name]]
    if rq.query.get("path"):
        found = [c for c in found if any(p.startswith(rq.query["path"]) for p in c.changes)]
    return Page(found, lambda c: render.commit(rq.repo, c))


@route("GET", "/repos/{owner}/{repo}/commits/{ref}", "contents:read")
def commit(rq):
    sha = rq.repo.head(rq.params["ref"])
    if sha is None:
        raise Refused(422, f"No commit found for SHA: {rq.params['ref']}", errors=[])
    each = rq.repo.commits[sha]
    before = rq.repo.files(each.parents[0]) if each.parents else {}
    changed = render.files(rq.repo, sha, each.changes, before)
    added, removed = sum(f["additions"] for f in changed), sum(f["deletions"] for f in changed)
    return render.commit(rq.repo, each) | {"stats": {"additions": added, "deletions": removed, "total": added + removed}, "files": changed}


def git_ref(repo, ref, sha):
    return {"ref": ref, "node_id": node_id("REF", repo.id, int(sha[:8], 16)), "url": f"{render.repository_url(repo)}/git/{ref}",
            "object": {"sha": sha, "type": "commit", "url": f"{render.repository_url(repo)}/git/commits/{sha}"}}


@route("GET", "/repos/{owner}/{repo}/git/ref/{ref}", "contents:read")
def get_ref(rq):
    name = rq.params["ref"].removeprefix("heads/")
    if name not in rq.repo.branches:
        raise Refused(404, "Not Found")
    return git_ref(rq.repo, f"refs/heads/{name}", rq.repo.branches[name].sha)


@route("POST", "/repos/{owner}/{repo}/git/refs", "contents:write", open_to_role=True)
def create_ref(rq):
    writer(rq)
    ref, sha = rq.body["ref"], rq.body["sha"]
    if not ref.startswith("refs/heads/"):
        raise Refused(422, "Reference name must start with 'refs/heads/': tags are not served here.")
    if ref[11:] in rq.repo.branches:
        raise Refused(422, "Reference already exists")
    if sha not in rq.repo.commits:
        raise Refused(422, "Object does not exist")
    why = push(rq, ref[11:], sha)
    if why:
        raise Refused(422, f"Repository rule violations found\n\n{why}", errors=[])
    return 201, git_ref(rq.repo, ref, sha)


@route("PATCH", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", open_to_role=True)
def update_ref(rq):
    """A fast-forward, or with `force` anything.  (rest/git/refs#update-a-reference)"""
    writer(rq)
    name, sha = rq.params["ref"].removeprefix("heads/"), rq.body["sha"]
    if name not in rq.repo.branches:
        raise Refused(422, "Reference does not exist")
    if sha not in rq.repo.commits:
        raise Refused(422, "Object does not exist")
    forward = rq.repo.is_ancestor(rq.repo.branches[name].sha, sha)
    if not forward and not rq.body.get("force"):
        raise Refused(422, "Update is not a fast forward")
    why = push(rq, name, sha, "push" if forward else "force_push")
    if why:
        raise Refused(422, f"Repository rule violations found\n\n{why}", errors=[])
    return git_ref(rq.repo, f"refs/heads/{name}", sha)


@route("DELETE", "/repos/{owner}/{repo}/git/refs/{ref}", "contents:write", open_to_role=True)
def delete_ref(rq):
    writer(rq)
    name = rq.params["ref"].removeprefix("heads/")
    found = rq.repo.branches.get(name)
    if found is None or name == rq.repo.default_branch:
        raise Refused(422, "Reference does not exist")
    why = protection.conclude(rq, rq.repo, name, found.sha, ZERO, protection.evaluate(rq, rq.repo, name, "delete", found.sha))
    if why:
        raise Refused(422, why, errors=[])
    del rq.repo.branches[name]
    rq.repo.activity.append({"id": rq.world.next_id("activity"), "before": found.sha, "after": ZERO, "ref": f"refs/heads/{name}", "at": rq.now(),
                             "type": "branch_deletion", "actor": rq.user})
    return 204, None


@route("POST", "/repos/{owner}/{repo}/git/commits", "contents:write", open_to_role=True)
def create_commit(rq):
    """A commit with the tree of another one of this repository, on other parents: what a rebase or an amended message makes."""
    writer(rq)
    repo, parents = rq.repo, rq.body.get("parents", [])
    source = next((c for c in repo.commits.values() if render.tree_of(c.sha) == rq.body["tree"]), None)
    if source is None or any(p not in repo.commits for p in parents):
        raise Refused(422, "Tree SHA does not exist")
    want, have = repo.files(source.sha), repo.files(parents[0]) if parents else {}
    changes = {p: c for p, c in want.items() if have.get(p) != c} | {p: None for p in have if p not in want}
    said = (rq.body.get("author") or {}).get("date")
    sha = rq.world.commit(repo, parents, author_of(rq), rq.body["message"], changes, seconds(said) if said else rq.now(), rq.user)
    return 201, render.git_commit(repo, repo.commits[sha])
