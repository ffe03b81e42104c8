"""Okta as far as the catalogue asks it: developer.okta.com, API reference "Users", "User factors", "Groups", "Applications", "Policies", "Role assignments", "System Log";
for pages "Link headers" and for limits "Rate limit headers". An id is made of the kind's prefix and a name."""
import re
import urllib.parse

TOKEN = "00okta-not-for-the-home-c8a1f3d05b"
SECRETS = [TOKEN, "+49-30-555-0142", "Lindenweg 7, Hinterhaus", "okta-client-secret-77ab19f0c2d4"]
PHONE, HOME_ADDRESS, CLIENT_SECRET = SECRETS[1:]
PAGE = 5  # Okta may always give fewer than it was asked for
HOST = "https://acme.okta.com"


def lets_in(headers, _):
    return headers.get("Authorization") == f"SSWS {TOKEN}"


def error(status):
    said = {401: ("E0000011", "Invalid token provided"), 403: ("E0000006", "You do not have permission to perform the requested action"),
            404: ("E0000007", "Not found: Resource not found"), 429: ("E0000047", "API call exceeded rate limit due to too many requests.")}[status]
    return {"errorCode": said[0], "errorSummary": said[1], "errorLink": said[0], "errorId": f"oae{status}", "errorCauses": []}


def limit_headers(left, reset):
    return {"X-Rate-Limit-Limit": "600", "X-Rate-Limit-Remaining": str(left), "X-Rate-Limit-Reset": str(reset)}


def user(number, status="ACTIVE", last_login="2026-11-20T08:00:00.000Z", **profile):
    login = f"eng-{number:02}@acme.example"
    return {"id": f"00u{number:02}", "status": status, "created": "2025-02-01T09:00:00.000Z", "activated": "2025-02-01T09:00:00.000Z", "statusChanged": None,
            "lastLogin": last_login, "lastUpdated": "2026-11-01T09:00:00.000Z", "passwordChanged": "2026-10-01T09:00:00.000Z", "type": {"id": "oty1"},
            "profile": {"login": login, "email": login.capitalize(), "firstName": "Eng", "lastName": f"{number:02}", "mobilePhone": PHONE, "streetAddress": HOME_ADDRESS,
                        "userType": None} | profile,
            "credentials": {"password": {}, "provider": {"type": "OKTA", "name": "OKTA"}}, "_links": {"self": {"href": f"{HOST}/api/v1/users/00u{number:02}"}}}


def factor(user_id, kind, status="ACTIVE"):
    profile = {"phoneNumber": PHONE} if kind == "sms" else {}
    return {"id": f"fac-{user_id}-{kind}", "factorType": kind, "provider": "OKTA" if kind != "webauthn" else "FIDO", "vendorName": "OKTA", "status": status,
            "created": "2025-02-01T10:00:00.000Z", "lastUpdated": "2025-02-01T10:00:00.000Z", "profile": profile}


def role(user_id, kind):
    return {"id": f"ra-{user_id}-{kind}", "label": kind.replace("_", " ").title(), "type": kind, "status": "ACTIVE", "created": "2025-02-01T10:00:00.000Z",
            "lastUpdated": "2025-02-01T10:00:00.000Z", "assignmentType": "USER"}


def group(name, kind="OKTA_GROUP"):
    return {"id": f"00g-{name}", "created": "2025-02-01T09:00:00.000Z", "lastUpdated": "2025-02-01T09:00:00.000Z", "lastMembershipUpdated": "2026-01-01T09:00:00.000Z",
            "objectClass": ["okta:user_group"], "type": kind, "profile": {"name": name, "description": None}}


def app(name, policy, mode="SAML_2_0"):
    credentials = {"oauthClient": {"client_id": f"0oa-{name}", "client_secret": CLIENT_SECRET}} if mode == "OPENID_CONNECT" else {}
    return {"id": f"0oa-{name}", "name": name, "label": name.title(), "status": "ACTIVE", "signOnMode": mode, "created": "2025-02-01T09:00:00.000Z",
            "lastUpdated": "2025-02-01T09:00:00.000Z", "credentials": credentials, "_links": {"accessPolicy": {"href": f"{HOST}/api/v1/policies/{policy}"}}}


def policy(name, kind, **more):
    return {"id": f"pol-{name}", "status": "ACTIVE", "name": name, "description": name, "priority": 1, "system": name == "default", "type": kind, "conditions": None,
            "created": "2025-02-01T09:00:00.000Z", "lastUpdated": "2025-02-01T09:00:00.000Z"} | more


def rule(name, kind, actions, priority=1):
    return {"id": f"rul-{name}", "status": "ACTIVE", "name": name, "priority": priority, "system": name == "catch-all", "type": kind, "conditions": None,
            "created": None, "lastUpdated": None, "actions": actions}


def sign_on(access, mode):
    return {"appSignOn": {"access": access, "verificationMethod": {"factorMode": mode, "type": "ASSURANCE", "reauthenticateIn": "PT2H", "constraints": []}}}


def event(number, at, kind, actor, *targets):
    return {"uuid": f"evt-{number}", "published": at, "eventType": kind, "version": "0", "severity": "INFO", "legacyEventType": None, "displayMessage": kind,
            "actor": {"id": actor, "type": "User", "alternateId": f"eng-{actor[3:]}@acme.example", "displayName": actor, "detailEntry": None},
            "client": {"ipAddress": "203.0.113.7", "zone": "null", "device": "Computer", "id": None}, "outcome": {"result": "SUCCESS", "reason": None},
            "target": [{"id": one, "type": "User", "alternateId": one, "displayName": one, "detailEntry": None} for one in targets]}


class World:
    """Twelve people: eng-00 and eng-01 are super admins, eng-02 has a question only, eng-03 left, eng-04 has not been seen for long."""

    def __init__(self):
        self.users = [user(number) for number in range(12)]
        self.users[4]["lastLogin"] = "2026-01-01T08:00:00.000Z"
        self.users[5]["status"] = "SUSPENDED"
        self.factors = {one["id"]: [factor(one["id"], "push"), factor(one["id"], "sms")] for one in self.users}
        self.factors["00u00"].append(factor("00u00", "webauthn"))
        self.factors["00u02"] = [factor("00u02", "question")]
        self.roles = {"00u00": [role("00u00", "SUPER_ADMIN")], "00u01": [role("00u01", "SUPER_ADMIN"), role("00u01", "APP_ADMIN")]}
        self.groups = [group("Everyone", "BUILT_IN"), group("engineering")]
        self.apps = [app("crm", "pol-two-factors"), app("wiki", "pol-lax"), app("build", "pol-two-factors", "OPENID_CONNECT")]
        self.access = [policy("two-factors", "ACCESS_POLICY"), policy("lax", "ACCESS_POLICY")]
        self.rules = {"pol-two-factors": [rule("staff", "ACCESS_POLICY", sign_on("ALLOW", "2FA"), 0), rule("catch-all", "ACCESS_POLICY", {"appSignOn": {"access": "DENY"}}, 99)],
                      "pol-lax": [rule("anybody", "ACCESS_POLICY", sign_on("ALLOW", "1FA"), 0)],
                      "pol-default": [rule("session", "SIGN_ON", {"signon": {"access": "ALLOW", "requireFactor": True, "factorPromptMode": "ALWAYS", "rememberDeviceByDefault": False,
                                                                            "session": {"usePersistentCookie": False, "maxSessionIdleMinutes": 60, "maxSessionLifetimeMinutes": 720}}})]}
        self.events = [event(1, "2026-11-20T10:00:00.000Z", "user.account.privilege.grant", "00u00", "00u01"),
                       event(2, "2026-11-19T10:00:00.000Z", "user.account.privilege.grant", "00u01", "00u01"),
                       event(3, "2026-11-18T10:00:00.000Z", "user.lifecycle.deactivate", "00u00", "00u90")] + [
                       event(number, f"2026-11-{20 - number:02}T10:00:00.000Z", "user.mfa.factor.activate", "00u00", "00u03") for number in range(4, 12)]

    def deactivate(self, login):
        number = login.removeprefix("eng-")
        self.users = [one for one in self.users if one["id"] != f"00u{number}"]
        self.events.insert(0, event(100 + int(number), "2026-11-22T10:00:00.000Z", "user.lifecycle.deactivate", "00u00", f"00u{number}"))

    def answer(self, here, path, query, _):
        passwords = {"settings": {"password": {"complexity": {"minLength": 14, "minLowerCase": 1}, "age": {"historyCount": 4, "maxAgeDays": 0}, "lockout": {"maxAttempts": 10}}}}
        if path == "/api/v1/org":
            return 200, {"id": "00o-acme", "subdomain": "acme", "companyName": "Acme", "status": "ACTIVE", "created": "2025-01-01T00:00:00.000Z"}, []
        if path == "/api/v1/policies":
            lists = {"ACCESS_POLICY": self.access, "OKTA_SIGN_ON": [policy("default", "OKTA_SIGN_ON")], "PASSWORD": [policy("default", "PASSWORD", **passwords)]}
            return self.page(here, path, query, lists[query["type"]])
        kind, *rest = path.removeprefix("/api/v1/").split("/")
        if not rest:
            return self.page(here, path, query, {"users": self.users, "groups": self.groups, "apps": self.apps, "logs": self.events}[kind])
        one, what = rest
        if kind == "users" and one not in {user["id"] for user in self.users}:
            return 404, error(404), []
        lists = {"factors": lambda: self.factors[one], "roles": lambda: self.roles.get(one, []), "rules": lambda: self.rules[one],
                 "groups": lambda: [{"id": "00g-engineering", "priority": 0, "lastUpdated": "2025-02-01T09:00:00.000Z"}] if one == "0oa-crm" else []}
        if what == "users" and kind == "groups":
            return self.page(here, path, query, self.users if one == "00g-Everyone" else self.users[:7])
        if what == "users":
            scope = "USER" if one == "0oa-wiki" else "GROUP"
            return self.page(here, path, query, [{"id": user["id"], "scope": scope, "status": "ACTIVE", "created": user["created"], "lastUpdated": user["created"],
                                                  "credentials": {"userName": user["profile"]["login"]}, "profile": {"salary": SECRETS[2]}} for user in self.users[:3]])
        return self.page(here, path, query, lists[what]())

    @staticmethod
    def page(here, path, query, items):
        """Two Link headers, as Okta sends them: where we are, and what comes next."""
        start = int(re.sub(r"\D", "", query.get("after", "")) or 0)
        size = min(PAGE, int(query.get("limit", 200)))
        links = [("Link", f'<{here}{path}?{urllib.parse.urlencode(query)}>; rel="self"')]
        if start + size < len(items):
            links.append(("Link", f'<{here}{path}?{urllib.parse.urlencode(query | {"after": f"c{start + size}"})}>; rel="next"'))
        return 200, items[start:start + size], links
