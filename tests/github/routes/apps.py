"""Apps: sign-in by JWT, installations, and the App's own list of webhook deliveries."""
import json
import zlib

from .. import events, render
from ..access import LEVELS, Refused, Token, secret
from ..app import Page, route
from ..state import iso


@route("GET", "/app", sign_in="jwt")
def app(rq):
    own = rq.token.app
    return render.app(own) | {"installations_count": sum(i.app is own for i in rq.world.installations.values())}


@route("GET", "/app/installations", sign_in="jwt")
def installations(rq):
    return Page([i for i in rq.world.installations.values() if i.app is rq.token.app], render.installation)


def own_installation(rq):
    number = rq.params["installation_id"]
    found = rq.world.installations.get(int(number)) if number.isdigit() else None
    if found is None or found.app is not rq.token.app:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/app/installations/{installation_id}", sign_in="jwt")
def installation(rq):
    return render.installation(own_installation(rq))


@route("POST", "/app/installations/{installation_id}/access_tokens", sign_in="jwt")
def access_token(rq):
    """Lives an hour; may be narrowed to some repositories and permissions.  (rest/apps/apps#create-an-installation-access-token-for-an-app)"""
    found, at = own_installation(rq), rq.now()
    permissions = dict(found.permissions)
    for name, level in rq.body.get("permissions", {}).items():
        if LEVELS[level] > LEVELS.get(permissions.get(name), 0):
            raise Refused(422, "The permissions requested are not granted to this installation.")
    if rq.body.get("permissions"):
        permissions = dict(rq.body["permissions"]) | {"metadata": "read"}
    chosen = None
    if "repositories" in rq.body or "repository_ids" in rq.body:
        named = [rq.world.repository(found.org.login, name) for name in rq.body.get("repositories", [])]
        named += [rq.world.repositories.get(number) for number in rq.body.get("repository_ids", [])]
        if None in named:
            raise Refused(422, "There is at least one repository that does not exist or is not accessible to the parent installation.")
        chosen = {r.id for r in named}
    # The stateless form of these tokens is longer than 40 characters: nobody may assume a length.
    value = f"ghs_{found.app.id}_" + secret("", "installation", found.id, at, rq.world.next_id("token")) * 3
    rq.world.tokens[value] = Token(value, "installation", found.app.bot, found, found.app, permissions=permissions, repositories=chosen, expires_at=at + 3600)
    made = {"token": value, "expires_at": iso(at + 3600), "permissions": permissions, "repository_selection": "all" if chosen is None else "selected"}
    if chosen is not None:
        made["repositories"] = [render.repository(rq.world, rq.world.repositories[r]) for r in sorted(chosen)]
    return 201, made


@route("GET", "/orgs/{org}/installation", sign_in="jwt")
def organisation_installation(rq):
    org = rq.world.orgs.get(rq.params["org"].lower())
    found = next((i for i in rq.world.installations.values() if i.app is rq.token.app and i.org is org), None)
    if found is None:
        raise Refused(404, "Not Found")
    return render.installation(found)


@route("GET", "/orgs/{org}/installations", "organization_administration:read")
def organisation_installations(rq):
    found = [i for i in rq.world.installations.values() if i.org is rq.org and i.app.slug != "github-actions"]
    return Page(found, render.installation, lambda items, total: {"total_count": total, "installations": items})


@route("GET", "/installation/repositories", "metadata:read")
def installation_repositories(rq):
    if rq.token.kind != "installation":
        raise Refused(403, "You must authenticate with an installation access token in order to list repositories for an installation.")
    from ..access import sees

    found = [r for r in rq.token.installation.org.repositories.values() if sees(rq.world, rq.token, r)]
    return Page(found, lambda r: render.repository(rq.world, r, "read") | {"custom_properties": {}}, lambda items, total: {
        "total_count": total, "repository_selection": rq.token.installation.selection, "repositories": items})


# ---- Webhooks of the App -----------------------------------------------------------------------------------------------


def hook_config(own):
    made = {name: own.hook[name] for name in ("content_type", "insecure_ssl", "url") if own.hook[name]}
    return made | ({"secret": "********"} if own.hook.get("secret") else {})


@route("GET", "/app/hook/config", sign_in="jwt")
def hook(rq):
    return hook_config(rq.token.app)


@route("PATCH", "/app/hook/config", sign_in="jwt")
def change_hook(rq):
    rq.token.app.hook |= {name: str(value) for name, value in rq.body.items() if name in ("url", "content_type", "secret", "insecure_ssl")}
    return hook_config(rq.token.app)


def delivery_item(each):
    return {"id": each["id"], "guid": each["guid"], "delivered_at": iso(each["at"]), "redelivery": each["redelivery"], "duration": 0.27,
            "status": each["status"], "status_code": each["status_code"], "event": each["event"], "action": each["action"],
            "installation_id": each["installation"], "repository_id": each["repository"], "throttled_at": None}


def own_deliveries(rq):
    oldest = rq.now() - events.KEPT_SECONDS
    return [d for d in rq.world.deliveries if d["app"] is rq.token.app and d["at"] >= oldest]


@route("GET", "/app/hook/deliveries", sign_in="jwt")
def deliveries(rq):
    """Newest first, paged by the id of the last one shown.  (rest/apps/webhooks#list-deliveries-for-an-app-webhook)"""
    found = own_deliveries(rq)[::-1]
    if rq.query.get("status") in ("success", "failure"):
        found = [d for d in found if (d["status_code"] < 400) == (rq.query["status"] == "success")]
    size = min(100, max(1, int(rq.query.get("per_page") or 30)))
    before = rq.query.get("cursor", "")
    if before:
        if not before.startswith("v1_") or not before[3:].isdigit():
            raise Refused(400, "Invalid cursor")
        found = [d for d in found if d["id"] < int(before[3:])]
    if len(found) > size:
        rq.answer_headers.append(("Link", f'<http://{rq.host}{rq.path}?per_page={size}&cursor=v1_{found[size - 1]["id"]}>; rel="next"'))
    return [delivery_item(d) for d in found[:size]]


def own_delivery(rq):
    found = next((d for d in own_deliveries(rq) if str(d["id"]) == rq.params["delivery_id"]), None)
    if found is None:
        raise Refused(404, "Not Found")
    return found


@route("GET", "/app/hook/deliveries/{delivery_id}", sign_in="jwt")
def delivery(rq):
    each, hook = own_delivery(rq), rq.token.app.hook
    body = zlib.decompress(each["body"])
    return delivery_item(each) | {"url": hook["url"], "request": {"headers": events.request_headers(each, hook.get("secret", ""), body), "payload": json.loads(body)},
                                  "response": {"headers": {}, "payload": ""}}


@route("POST", "/app/hook/deliveries/{delivery_id}/attempts", sign_in="jwt")
def redeliver(rq):
    each = own_delivery(rq)
    installation = rq.world.installations[each["installation"]]
    events.deliver(rq.world, installation, each["event"], each["action"], rq.world.repositories.get(each["repository"]), zlib.decompress(each["body"]),
                   each["guid"])
    return 202, {}
