"""An organisation: settings, members, outside collaborators, invitations, audit log, tokens, hooks."""
from .. import events, render
from ..access import Refused
from ..app import Page, number, route
from ..state import Invitation, iso, node_id, seconds


@route("GET", "/orgs/{org}", sign_in="anyone")
def organisation(rq):
    """The settings are for owners, and for Apps that may read them."""
    app = rq.token.kind == "installation" and "organization_administration" in rq.token.permissions
    return render.organisation(rq.world, rq.org, owner=app or rq.owner())


@route("PATCH", "/orgs/{org}", "organization_administration:write")
def change_organisation(rq):
    for name, value in rq.body.items():
        if name in rq.org.settings and rq.org.settings[name] != value:
            rq.org.settings[name] = value
            events.audit(rq.world, rq.org, f"org.update_{name}", rq.user, data={name: value})
    rq.org.description = rq.body.get("description", rq.org.description)
    rq.org.updated_at = rq.now()
    return render.organisation(rq.world, rq.org, owner=True)


# ---- People ------------------------------------------------------------------------------------------------------------


def filtered(rq, users):
    """Who has no second factor is for owners to know.  (rest/orgs/members#list-organization-members)"""
    chosen = rq.query.get("filter", "all")
    if chosen in ("2fa_disabled", "2fa_insecure"):
        if not rq.owner():
            raise Refused(422, "Only owners can use this filter.", errors=[{"resource": "OrganizationMember", "field": "filter", "code": "invalid"}])
        users = [u for u in users if (not u.two_factor if chosen == "2fa_disabled" else u.two_factor and u.two_factor_insecure)]
    return users


@route("GET", "/orgs/{org}/members", "members:read")
def members(rq):
    role = rq.query.get("role", "all")
    if rq.token.kind != "installation" and rq.user.login not in rq.org.members:
        return Page([], render.account)  # nobody here shows their membership to the public
    found = [rq.world.user(login) for login, has in rq.org.members.items() if role in ("all", has)]
    return Page(filtered(rq, sorted(found, key=lambda u: u.id)), render.account)


@route("GET", "/orgs/{org}/members/{username}", "members:read")
def is_member(rq):
    if rq.params["username"] not in rq.org.members:
        raise Refused(404, "Not Found")
    return 204, None


def member(rq):
    login = rq.params["username"]
    found = rq.world.user(login)
    if found is None or found.login not in rq.org.members:
        raise Refused(404, "Not Found")
    return found


def take_out(rq, user):
    """Also out of every team.  (rest/orgs/members#remove-an-organization-member)"""
    if rq.org.members[user.login] == "admin" and list(rq.org.members.values()).count("admin") == 1:
        raise Refused(403, "You cannot remove the last owner.")
    del rq.org.members[user.login]
    for team in rq.org.teams.values():
        team.members.pop(user.login, None)
    for repository in rq.org.repositories.values():
        repository.collaborators.pop(user.login, None)
    events.audit(rq.world, rq.org, "org.remove_member", rq.user, user=user.login, user_id=user.id)
    events.emit(rq.world, "organization", "member_removed", rq.org, rq.user, membership=hooked(membership_of(rq.org, user, "member")))


def hooked(membership):
    """As a webhook has it: the organisation stands beside it."""
    return {name: membership[name] for name in ("url", "state", "role", "organization_url", "user")}


@route("DELETE", "/orgs/{org}/members/{username}", "members:write")
def remove_member(rq):
    take_out(rq, member(rq))
    return 204, None


def membership_of(org, user, role, state="active"):
    return {"url": f"{render.API}/orgs/{org.login}/memberships/{user.login}", "state": state, "role": role, "direct_membership": True,
            "enterprise_teams_providing_indirect_membership": [], "organization_url": f"{render.API}/orgs/{org.login}",
            "organization": render.organisation_simple(org), "user": render.account(user)}


@route("GET", "/orgs/{org}/memberships/{username}", "members:read")
def membership(rq):
    login = rq.params["username"]
    invited = next((i for i in rq.org.invitations if i.login == login and i.failed_at is None), None)
    if invited:
        return membership_of(rq.org, rq.world.user(login), "admin" if invited.role == "admin" else "member", "pending")
    found = member(rq)
    return membership_of(rq.org, found, rq.org.members[found.login])


@route("PUT", "/orgs/{org}/memberships/{username}", "members:write")
def set_membership(rq):
    """Of somebody who is no member yet it makes an invitation.  (rest/orgs/members#set-organization-membership-for-a-user)"""
    found, role = rq.world.user(rq.params["username"]), rq.body.get("role", "member")
    if found is None:
        raise Refused(404, "Not Found")
    if found.login in rq.org.members:
        if rq.org.members[found.login] != role:
            rq.org.members[found.login] = role
            events.audit(rq.world, rq.org, "org.update_member", rq.user, user=found.login, user_id=found.id, data={"permission": role})
        return membership_of(rq.org, found, role)
    invite(rq, found.login, None, "admin" if role == "admin" else "direct_member", [])
    return membership_of(rq.org, found, role, "pending")


@route("DELETE", "/orgs/{org}/memberships/{username}", "members:write")
def remove_membership(rq):
    take_out(rq, member(rq))
    return 204, None


@route("PATCH", "/user/memberships/orgs/{org}")
def accept(rq):
    """How somebody who was invited becomes a member.  (rest/orgs/members#update-an-organization-membership-for-the-authenticated-user)"""
    invitation = next((i for i in rq.org.invitations if i.login == rq.user.login and i.failed_at is None), None) if rq.user else None
    if invitation is None or rq.body.get("state") != "active":
        raise Refused(404, "Not Found")
    if rq.org.settings["two_factor_requirement_enabled"] and not rq.user.two_factor:
        raise Refused(403, "You must enable two-factor authentication to join this organization.")
    rq.org.invitations.remove(invitation)
    rq.org.members[rq.user.login] = "admin" if invitation.role == "admin" else "member"
    rq.org.outside.pop(rq.user.login, None)
    for team in invitation.teams:
        team.members[rq.user.login] = "member"
    events.audit(rq.world, rq.org, "org.add_member", rq.user, user=rq.user.login, user_id=rq.user.id)
    made = membership_of(rq.org, rq.user, rq.org.members[rq.user.login])
    events.emit(rq.world, "organization", "member_added", rq.org, rq.user, membership=hooked(made))
    return made


@route("GET", "/orgs/{org}/outside_collaborators", "members:read")
def outside_collaborators(rq):
    return Page(filtered(rq, sorted(rq.org.outside.values(), key=lambda u: u.id)), render.account)


@route("DELETE", "/orgs/{org}/outside_collaborators/{username}", "members:write")
def remove_outside_collaborator(rq):
    found = rq.org.outside.pop(rq.params["username"], None)
    if found is None:
        raise Refused(404, "Not Found")
    for repository in rq.org.repositories.values():
        repository.collaborators.pop(found.login, None)
    events.audit(rq.world, rq.org, "org.remove_outside_collaborator", rq.user, user=found.login, user_id=found.id)
    return 204, None


# ---- Invitations -------------------------------------------------------------------------------------------------------


def invite(rq, login, email, role, teams):
    made = Invitation(rq.world.next_id("invitation"), login, email, role, rq.user, rq.now(), teams)
    rq.org.invitations.append(made)
    events.audit(rq.world, rq.org, "org.invite_member", rq.user, **({"user": login} if login else {}))
    return made


def invitation(rq):
    def show(each):
        return {"id": each.id, "login": each.login, "email": each.email, "role": each.role, "created_at": iso(each.created_at),
                "failed_at": iso(each.failed_at), "failed_reason": each.failed_reason, "inviter": render.account(each.inviter),
                "team_count": len(each.teams), "node_id": node_id("OI", rq.org.id, each.id),
                "invitation_teams_url": f"{render.API}/organizations/{rq.org.id}/invitations/{each.id}/teams", "invitation_source": "member"}

    return show


def expire(rq):
    """Seven days, then an invitation has failed.  (organizations/managing-membership-in-your-organization/inviting-users-to-join-your-organization)"""
    for each in rq.org.invitations:
        if each.failed_at is None and rq.now() >= each.created_at + 7 * 86400:
            each.failed_at, each.failed_reason = each.created_at + 7 * 86400, "Invitation expired. User did not accept this invite for 7 days."


@route("GET", "/orgs/{org}/invitations", "members:read")
def invitations(rq):
    expire(rq)
    return Page([i for i in rq.org.invitations if i.failed_at is None], invitation(rq))


@route("GET", "/orgs/{org}/failed_invitations", "members:read")
def failed_invitations(rq):
    expire(rq)
    return Page([i for i in rq.org.invitations if i.failed_at is not None], invitation(rq))


@route("POST", "/orgs/{org}/invitations", "members:write")
def create_invitation(rq):
    login = None
    if "invitee_id" in rq.body:
        login = next((u.login for u in rq.world.users.values() if u.id == rq.body["invitee_id"]), None)
    if login is None and not rq.body.get("email") or login in rq.org.members:
        raise Refused(422, "Validation Failed", errors=[{"resource": "OrganizationInvitation", "field": "data", "code": "unprocessable"}])
    teams = [t for t in rq.org.teams.values() if t.id in rq.body.get("team_ids", [])]
    return 201, invitation(rq)(invite(rq, login, rq.body.get("email"), rq.body.get("role", "direct_member"), teams))


# ---- What an owner sees ------------------------------------------------------------------------------------------------

GIT_ACTIONS = ("git.clone", "git.fetch", "git.push")


@route("GET", "/orgs/{org}/audit-log", "organization_administration:read", resource="audit_log", open_to_role=True)
def audit_log(rq):
    """Enterprise Cloud only; the last three months unless `created:` asks for others, Git events seven days, others 180.
    (enterprise-cloud@latest/rest/orgs/orgs#get-the-audit-log-for-an-organization)"""
    if rq.org.plan != "enterprise" or rq.token.kind != "installation" and not rq.owner():
        raise Refused(404, "Not Found")
    include, phrase = rq.query.get("include", "web"), rq.query.get("phrase", "")
    now = rq.now()
    oldest, newest, words = now - 90 * 86400, now, []
    for word in phrase.split():
        name, _, value = word.partition(":")
        if name == "created":
            oldest, newest = created(value, now)
        else:
            words.append((name, value))
    found = []
    for entry in rq.org.audit:
        at, git = entry["@timestamp"] // 1000, entry["action"] in GIT_ACTIONS
        kept = now - (7 if git else 180) * 86400
        wanted = include == "all" or (include == "git") == git
        if wanted and max(oldest, kept) <= at <= newest and all(str(entry.get(name)) == value or name == "action" and entry["action"].startswith(value + ".")
                                                                for name, value in words):
            found.append(entry)
    found.sort(key=lambda e: (e["@timestamp"], e["_document_id"]), reverse=rq.query.get("order", "desc") == "desc")
    return Page(found, lambda entry: entry, cursor=True)


def created(value, now):
    if ".." in value:
        first, last = value.split("..")
        return seconds(first) if first != "*" else 0, (seconds(last) + (86399 if len(last) == 10 else 0)) if last != "*" else now
    if value[:2] in (">=", "<="):
        return (seconds(value[2:]), now) if value[0] == ">" else (0, seconds(value[2:]))
    if value[:1] in "><":
        return (seconds(value[1:]) + 1, now) if value[0] == ">" else (0, seconds(value[1:]) - 1)
    return seconds(value), seconds(value) + 86399


@route("GET", "/orgs/{org}/personal-access-tokens", "organization_personal_access_tokens:read")
def personal_access_tokens(rq):
    """For Apps only.  (rest/orgs/personal-access-tokens)"""
    if rq.token.kind != "installation":
        raise Refused(403, "This endpoint is only available to GitHub Apps.")
    found = [t for t in rq.world.tokens.values() if t.kind == "fine"]

    def show(token):
        return {"id": token.user.id + 7, "owner": render.account(token.user), "repository_selection": "all",
                "repositories_url": f"{render.API}/organizations/{rq.org.id}/personal-access-tokens/{token.user.id + 7}/repositories",
                "permissions": {"organization": {}, "repository": token.permissions, "other": {}}, "access_granted_at": iso(rq.org.created_at),
                "token_id": token.user.id + 7, "token_name": "reports", "token_expired": token.expires_at <= rq.now(),
                "token_expires_at": iso(token.expires_at), "token_last_used_at": None}

    return Page(found, show)


@route("GET", "/orgs/{org}/hooks", "organization_hooks:read")
def hooks(rq):
    return Page(list(rq.org.hooks.values()), lambda each: each)


@route("POST", "/orgs/{org}/hooks", "organization_hooks:write")
def create_hook(rq):
    made, url = rq.world.next_id("hook"), f"{render.API}/orgs/{rq.org.login}/hooks"
    config = {"url": rq.body["config"]["url"], "content_type": rq.body["config"].get("content_type", "form"),
              "insecure_ssl": str(rq.body["config"].get("insecure_ssl", "0"))}
    if rq.body["config"].get("secret"):
        config["secret"] = "********"
    rq.org.hooks[made] = {"type": "Organization", "id": made, "name": "web", "active": rq.body.get("active", True), "events": rq.body.get("events", ["push"]),
                          "config": config, "updated_at": iso(rq.now()), "created_at": iso(rq.now()), "url": f"{url}/{made}", "ping_url": f"{url}/{made}/pings",
                          "deliveries_url": f"{url}/{made}/deliveries"}
    events.audit(rq.world, rq.org, "hook.create", rq.user, hook_id=made, name="webhook")
    return 201, rq.org.hooks[made]


CONFIGURATION = {"advanced_security": "disabled", "dependency_graph": "enabled", "dependency_graph_autosubmit_action": "disabled",
                 "dependabot_alerts": "disabled", "dependabot_security_updates": "disabled", "code_scanning_default_setup": "disabled",
                 "code_scanning_delegated_alert_dismissal": "disabled", "secret_scanning": "disabled", "secret_scanning_push_protection": "disabled",
                 "secret_scanning_delegated_bypass": "disabled", "secret_scanning_validity_checks": "disabled", "secret_scanning_non_provider_patterns": "disabled",
                 "private_vulnerability_reporting": "disabled", "enforcement": "enforced"}


@route("GET", "/orgs/{org}/code-security/configurations", "organization_administration:write")
def configurations(rq):
    return Page(list(rq.org.configurations.values()), lambda each: each, cursor=True)


@route("POST", "/orgs/{org}/code-security/configurations", "organization_administration:write")
def create_configuration(rq):
    made, url = rq.world.next_id("configuration"), f"{render.API}/orgs/{rq.org.login}/code-security/configurations"
    rq.org.configurations[made] = {"id": made, "target_type": "organization", "name": rq.body["name"], "description": rq.body.get("description", ""),
                                   **{name: rq.body.get(name, usual) for name, usual in CONFIGURATION.items()}, "url": f"{url}/{made}",
                                   "html_url": f"{render.WEB}/organizations/{rq.org.login}/settings/security_products/configurations/edit/{made}",
                                   "created_at": iso(rq.now()), "updated_at": iso(rq.now())}
    return 201, rq.org.configurations[made]
