"""Values as GitHub's JSON: what more than one area shows. Bodies speak of api.github.com, as GitHub's do; only Link and Location name the host that was asked."""
import base64
import functools
import urllib.parse

from .state import PERMISSIONS, iso, node_id, sha1

API = "https://api.github.com"
WEB = "https://github.com"


@functools.lru_cache(maxsize=100_000)
def account_links(login, kind):
    """The links of a user or an organisation seen as a user."""
    url = f"{API}/users/{urllib.parse.quote(login)}"
    return {"gravatar_id": "", "url": url, "html_url": f"{WEB}/{'apps/' + login.removesuffix('[bot]') if kind == 'Bot' else login}",
            "followers_url": f"{url}/followers", "following_url": f"{url}/following{{/other_user}}", "gists_url": f"{url}/gists{{/gist_id}}",
            "starred_url": f"{url}/starred{{/owner}}{{/repo}}", "subscriptions_url": f"{url}/subscriptions", "organizations_url": f"{url}/orgs",
            "repos_url": f"{url}/repos", "events_url": f"{url}/events{{/privacy}}", "received_events_url": f"{url}/received_events", "type": kind,
            "user_view_type": "public", "site_admin": False}


def account(user):
    """`simple-user`; None stays None (a deleted account)."""
    if user is None:
        return None
    return {"login": user.login, "id": user.id, "node_id": user.node_id, "avatar_url": f"https://avatars.githubusercontent.com/u/{user.id}?v=4",
            **account_links(user.login, user.type)}


def organisation_simple(org):
    url = f"{API}/orgs/{org.login}"
    return {"login": org.login, "id": org.id, "node_id": org.node_id, "url": url, "repos_url": f"{url}/repos", "events_url": f"{url}/events",
            "hooks_url": f"{url}/hooks", "issues_url": f"{url}/issues", "members_url": f"{url}/members{{/member}}",
            "public_members_url": f"{url}/public_members{{/member}}", "avatar_url": f"https://avatars.githubusercontent.com/u/{org.id}?v=4",
            "description": org.description}


def organisation(world, org, owner=False):
    """`organization-full`; the settings only for its owners.  (rest/orgs/orgs#get-an-organization)"""
    private = sum(r.private for r in org.repositories.values())
    made = organisation_simple(org) | {
        "name": org.login, "is_verified": False, "has_organization_projects": True, "has_repository_projects": True,
        "public_repos": len(org.repositories) - private, "public_gists": 0, "followers": 0, "following": 0, "html_url": f"{WEB}/{org.login}",
        "type": "Organization", "created_at": iso(org.created_at), "updated_at": iso(org.updated_at or org.created_at), "archived_at": None}
    if owner:
        made |= org.settings | {
            "total_private_repos": private, "owned_private_repos": private, "private_gists": 0, "disk_usage": 0, "collaborators": len(org.outside),
            "billing_email": f"billing@{org.login}.example", "default_repository_branch": "main",
            "plan": {"name": org.plan, "space": 976562499, "private_repos": 999999, "filled_seats": len(org.members), "seats": len(org.members) + 10}}
    return made


# ---- Repositories ----------------------------------------------------------------------------------------------------

REPOSITORY_LINKS = {
    "forks_url": "/forks", "keys_url": "/keys{/key_id}", "collaborators_url": "/collaborators{/collaborator}", "teams_url": "/teams", "hooks_url": "/hooks",
    "issue_events_url": "/issues/events{/number}", "events_url": "/events", "assignees_url": "/assignees{/user}", "branches_url": "/branches{/branch}",
    "tags_url": "/tags", "blobs_url": "/git/blobs{/sha}", "git_tags_url": "/git/tags{/sha}", "git_refs_url": "/git/refs{/sha}",
    "trees_url": "/git/trees{/sha}", "statuses_url": "/statuses/{sha}", "languages_url": "/languages", "stargazers_url": "/stargazers",
    "contributors_url": "/contributors", "subscribers_url": "/subscribers", "subscription_url": "/subscription", "commits_url": "/commits{/sha}",
    "git_commits_url": "/git/commits{/sha}", "comments_url": "/comments{/number}", "issue_comment_url": "/issues/comments{/number}",
    "contents_url": "/contents/{+path}", "compare_url": "/compare/{base}...{head}", "merges_url": "/merges", "archive_url": "/{archive_format}{/ref}",
    "downloads_url": "/downloads", "issues_url": "/issues{/number}", "pulls_url": "/pulls{/number}", "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}", "labels_url": "/labels{/name}", "releases_url": "/releases{/id}",
    "deployments_url": "/deployments"}
OPTIONS = {"allow_squash_merge": True, "allow_merge_commit": True, "allow_rebase_merge": True, "allow_auto_merge": False, "delete_branch_on_merge": False,
           "allow_update_branch": False, "use_squash_pr_title_as_default": False, "squash_merge_commit_message": "COMMIT_MESSAGES",
           "squash_merge_commit_title": "COMMIT_OR_PR_TITLE", "merge_commit_message": "PR_TITLE", "merge_commit_title": "MERGE_MESSAGE"}
SHOWN_TO_ALL = {"has_issues": True, "has_projects": True, "has_wiki": True, "has_discussions": False, "is_template": False, "allow_forking": False,
                "web_commit_signoff_required": False}


def repository_url(repository):
    return f"{API}/repos/{repository.full_name}"


def repository_simple(repository):
    """`simple-repository`: what alerts name."""
    url = repository_url(repository)
    return {"id": repository.id, "node_id": repository.node_id, "name": repository.name, "full_name": repository.full_name, "private": repository.private,
            "owner": account(repository.org), "html_url": f"{WEB}/{repository.full_name}", "description": repository.description, "fork": False, "url": url,
            **{name: url + rest for name, rest in REPOSITORY_LINKS.items()}}


def role_members(permission):
    at = PERMISSIONS.index(permission)
    return {"admin": at >= 5, "maintain": at >= 4, "push": at >= 3, "triage": at >= 2, "pull": at >= 1}


def repository(world, repository, permission=None):
    """What all larger forms share: fits `repository` and `minimal-repository`."""
    issues = repository.open_issues() if repository.last_number else 0
    made = repository_simple(repository) | {
        "created_at": iso(repository.created_at), "updated_at": iso(repository.updated_at), "pushed_at": iso(repository.pushed_at),
        "git_url": f"git://github.com/{repository.full_name}.git", "ssh_url": f"git@github.com:{repository.full_name}.git",
        "clone_url": f"{WEB}/{repository.full_name}.git", "svn_url": f"{WEB}/{repository.full_name}", "homepage": None, "size": 0, "stargazers_count": 0,
        "watchers_count": 0, "language": None, "has_pages": False, "has_downloads": True, "forks_count": 0, "mirror_url": None,
        "archived": repository.archived, "disabled": False, "open_issues_count": issues, "license": None, "topics": [], "visibility": repository.visibility,
        "forks": 0, "open_issues": issues, "watchers": 0, "default_branch": repository.default_branch,
        **{name: repository.options.get(name, usual) for name, usual in SHOWN_TO_ALL.items()}}
    if permission is not None:
        made["permissions"] = role_members(permission)
    return made


SECURITY = ("advanced_security", "dependabot_security_updates", "secret_scanning", "secret_scanning_push_protection", "secret_scanning_non_provider_patterns")


def security(repository):
    return {name: {"status": repository.security.get(name, "disabled")} for name in SECURITY if name != "advanced_security" or repository.private}


def repository_minimal(world, repo, permission):
    """`minimal-repository`: in lists. `security_and_analysis` only for who administers it.  (rest/repos/repos#list-organization-repositories)"""
    made = repository(world, repo, permission) | {"custom_properties": {}}
    if permission == "admin":
        made["security_and_analysis"] = security(repo)
    return made


def repository_full(world, repo, permission):
    made = repository(world, repo, permission) | {"subscribers_count": 0, "network_count": 0, "organization": account(repo.org), "temp_clone_token": "",
                                                  "custom_properties": {}}
    if PERMISSIONS.index(permission) >= PERMISSIONS.index("write"):
        made |= {name: repo.options.get(name, usual) for name, usual in OPTIONS.items()}
    if permission == "admin":
        made["security_and_analysis"] = security(repo)
    return made


# ---- Teams and apps --------------------------------------------------------------------------------------------------


def team_simple(team):
    if team is None:
        return None
    url = f"{API}/organizations/{team.org.id}/team/{team.id}"
    return {"id": team.id, "node_id": team.node_id, "name": team.name, "slug": team.slug, "description": team.description, "privacy": team.privacy,
            "notification_setting": "notifications_enabled", "url": url, "html_url": f"{WEB}/orgs/{team.org.login}/teams/{team.slug}",
            "members_url": f"{url}/members{{/member}}", "repositories_url": f"{url}/repos", "permission": "pull", "type": "organization",
            "organization_id": team.org.id}


def team(each, permission=None):
    made = team_simple(each) | {"parent": team_simple(each.parent)}
    if permission is not None:
        names = {"read": "pull", "write": "push"}
        made |= {"permission": names.get(permission, permission), "permissions": role_members(permission)}
    return made


def app(each):
    """`integration`."""
    if each is None:
        return None
    return {"id": each.id, "client_id": each.client_id, "slug": each.slug, "node_id": each.node_id, "owner": account(each.owner), "name": each.slug,
            "description": "", "external_url": f"https://{each.slug}.example", "html_url": f"{WEB}/apps/{each.slug}", "created_at": iso(each.created_at),
            "updated_at": iso(each.created_at), "permissions": each.permissions, "events": each.events}


def installation(each):
    return {"id": each.id, "account": account(each.org), "repository_selection": each.selection,
            "access_tokens_url": f"{API}/app/installations/{each.id}/access_tokens", "repositories_url": f"{API}/installation/repositories",
            "html_url": f"{WEB}/organizations/{each.org.login}/settings/installations/{each.id}", "app_id": each.app.id, "client_id": each.app.client_id,
            "app_slug": each.app.slug, "target_id": each.org.id, "target_type": "Organization", "permissions": each.permissions, "events": each.app.events,
            "created_at": iso(each.created_at), "updated_at": iso(each.created_at), "single_file_name": None, "has_multiple_single_files": False,
            "single_file_paths": [], "suspended_by": None, "suspended_at": None}


# ---- Commits ---------------------------------------------------------------------------------------------------------


def person(user, at):
    return {"name": user.login, "email": f"{user.id}+{user.login}@users.noreply.github.com", "date": iso(at)}


def tree_of(sha):
    return sha1("tree", sha)


def verification(each):
    if each.verified:
        return {"verified": True, "reason": "valid", "signature": "-----BEGIN PGP SIGNATURE-----", "payload": f"tree {tree_of(each.sha)}",
                "verified_at": iso(each.date)}
    return {"verified": False, "reason": "unsigned", "signature": None, "payload": None, "verified_at": None}


def commit(repository, each):
    url, web = repository_url(repository), f"{WEB}/{repository.full_name}"
    return {"sha": each.sha, "node_id": node_id("C", repository.id, int(each.sha[:12], 16)),
            "commit": {"author": person(each.author, each.date), "committer": person(each.committer, each.date), "message": each.message,
                       "tree": {"sha": tree_of(each.sha), "url": f"{url}/git/trees/{tree_of(each.sha)}"}, "url": f"{url}/git/commits/{each.sha}",
                       "comment_count": 0, "verification": verification(each)},
            "url": f"{url}/commits/{each.sha}", "html_url": f"{web}/commit/{each.sha}", "comments_url": f"{url}/commits/{each.sha}/comments",
            "author": account(each.author), "committer": account(each.committer),
            "parents": [{"sha": p, "url": f"{url}/commits/{p}", "html_url": f"{web}/commit/{p}"} for p in each.parents]}


def commit_simple(each):
    """`simple-commit`: in check suites and workflow runs."""
    author, committer = person(each.author, each.date), person(each.committer, each.date)
    return {"id": each.sha, "tree_id": tree_of(each.sha), "message": each.message, "timestamp": iso(each.date),
            "author": {"name": author["name"], "email": author["email"]}, "committer": {"name": committer["name"], "email": committer["email"]}}


def git_commit(repository, each):
    """`git-commit`: the git database's own form."""
    url, web = repository_url(repository), f"{WEB}/{repository.full_name}"
    return {"sha": each.sha, "node_id": node_id("C", repository.id, int(each.sha[:12], 16)), "url": f"{url}/git/commits/{each.sha}",
            "html_url": f"{web}/commit/{each.sha}", "author": person(each.author, each.date), "committer": person(each.committer, each.date),
            "tree": {"sha": tree_of(each.sha), "url": f"{url}/git/trees/{tree_of(each.sha)}"}, "message": each.message,
            "parents": [{"sha": p, "url": f"{url}/git/commits/{p}", "html_url": f"{web}/commit/{p}"} for p in each.parents],
            "verification": verification(each)}


def files(repository, sha, changes, before):
    """`diff-entry` of each changed path."""
    url, web = repository_url(repository), f"{WEB}/{repository.full_name}"
    made = []
    for path, content in sorted(changes.items()):
        added = content.count(b"\n") + 1 if content is not None else 0
        removed = before[path].count(b"\n") + 1 if path in before else 0
        made.append({"sha": sha1("blob", path, content), "filename": path,
                     "status": "removed" if content is None else "modified" if path in before else "added", "additions": added, "deletions": removed,
                     "changes": added + removed, "blob_url": f"{web}/blob/{sha}/{path}", "raw_url": f"{web}/raw/{sha}/{path}",
                     "contents_url": f"{url}/contents/{path}?ref={sha}"})
    return made


def blob(repository, path, content, ref):
    url, sha = f"{repository_url(repository)}/contents/{path}?ref={ref}", sha1("blob", path, content)
    web, git = f"{WEB}/{repository.full_name}/blob/{ref}/{path}", f"{repository_url(repository)}/git/blobs/{sha}"
    return {"name": path.rsplit("/", 1)[-1], "path": path, "sha": sha, "size": len(content), "url": url, "html_url": web, "git_url": git,
            "download_url": f"https://raw.githubusercontent.com/{repository.full_name}/{ref}/{path}", "type": "file",
            "_links": {"self": url, "git": git, "html": web}}


def file_content(repository, path, content, ref):
    return blob(repository, path, content, ref) | {"content": base64.encodebytes(content).decode(), "encoding": "base64"}
