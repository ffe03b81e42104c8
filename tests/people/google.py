"""A Google Workspace as far as the catalogue asks it: developers.google.com/workspace, "Admin SDK: Directory API" and "Reports API", reference and "Limits and quotas"; and
Google's token service: developers.google.com/identity, "Using OAuth 2.0 for Server to Server Applications". Lists that are empty are left out, as Google does."""
import base64
import json
import re
import time
import urllib.parse

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

TOKEN = "ya29.not-for-the-home-0f3c55e1"
PHONE, HOME_ADDRESS, RECOVERY = "+49-30-555-0177", "Birkenallee 3, Dachgeschoss", "private-mailbox@elsewhere.example"
SECRETS = [TOKEN, PHONE, HOME_ADDRESS, RECOVERY]
PAGE = 5
ADMIN = "eng-00@acme.example"
SCOPE = "https://www.googleapis.com/auth/"
SCOPES = {f"{SCOPE}{name}.readonly" for name in ("admin.directory.customer", "admin.directory.user", "admin.directory.domain", "admin.directory.group",
                                                 "admin.directory.rolemanagement", "admin.reports.audit")}


def lets_in(headers, path):
    return path == "/token" or headers.get("Authorization") == f"Bearer {TOKEN}"


def error(status):
    message, reason = {401: ("Request had invalid authentication credentials.", "authError"), 403: ("Not Authorized to access this resource/api", "forbidden"),
                       404: ("Resource Not Found: userKey", "notFound"), 429: ("User Rate Limit Exceeded", "userRateLimitExceeded")}[status]
    return {"error": {"code": status, "message": message, "errors": [{"message": message, "domain": "global", "reason": reason}]}}


def limit_headers(left, reset):
    return {"Retry-After": "1"} if left == 0 else {}


def user(number, **more):
    email = f"eng-{number:02}@acme.example"
    return {"kind": "admin#directory#user", "id": f"10{number:02}", "etag": f'"u{number}"', "primaryEmail": email, "isAdmin": False, "isDelegatedAdmin": False,
            "name": {"givenName": "Eng", "familyName": f"{number:02}", "fullName": f"Eng {number:02}"}, "lastLoginTime": "2026-11-20T08:00:00.000Z",
            "creationTime": "2025-02-01T09:00:00.000Z", "agreedToTerms": True, "suspended": False, "archived": False, "changePasswordAtNextLogin": False,
            "ipWhitelisted": False, "emails": [{"address": email, "primary": True}], "phones": [{"value": PHONE, "type": "home"}], "recoveryPhone": PHONE,
            "recoveryEmail": RECOVERY, "addresses": [{"type": "home", "formatted": HOME_ADDRESS}], "customerId": "C01acme", "orgUnitPath": "/",
            "isMailboxSetup": True, "isEnrolledIn2Sv": True, "isEnforcedIn2Sv": True, "includeInGlobalAddressList": True} | more


def member(number, email, **more):
    return {"kind": "admin#directory#member", "etag": f'"m{number}"', "id": str(number), "email": email, "role": "MEMBER", "type": "USER", "status": "ACTIVE"} | more


def activity(number, at, name, actor, target):
    return {"kind": "admin#reports#activity", "id": {"time": at, "uniqueQualifier": f"-{number}", "applicationName": "admin", "customerId": "C01acme"}, "etag": f'"a{number}"',
            "actor": {"callerType": "USER", "email": actor, "profileId": "1000"}, "ipAddress": "203.0.113.7",
            "events": [{"type": "DELEGATED_ADMIN_SETTINGS", "name": name, "parameters": [{"name": "ROLE_NAME", "value": "_HELP_DESK_ADMIN_ROLE"},
                                                                                        {"name": "USER_EMAIL", "value": target}]}]}


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


class World:
    """Twelve people: eng-00 and eng-01 are super admins, eng-02 is not enrolled, eng-04 has not been seen for long, eng-05 is suspended and still has a role."""

    def __init__(self):
        self.users = [user(number) for number in range(12)]
        self.users[0]["isAdmin"] = self.users[1]["isAdmin"] = True
        self.users[2] |= {"isEnrolledIn2Sv": False, "isEnforcedIn2Sv": False}
        self.users[4]["lastLoginTime"] = "2026-01-01T08:00:00.000Z"
        self.users[5] |= {"suspended": True, "suspensionReason": "ADMIN", "isDelegatedAdmin": True}
        self.groups = [{"kind": "admin#directory#group", "id": f"g-{name}", "etag": f'"{name}"', "email": f"{name}@acme.example", "name": name.title(),
                        "directMembersCount": "1", "description": "", "adminCreated": True} for name in ("staff", "sales", "empty")]
        self.members = {"g-staff": [{"kind": "admin#directory#member", "id": "C01acme", "role": "MEMBER", "type": "CUSTOMER", "etag": '"c"'}],
                        "g-sales": [member(number, f"eng-{number - 1000:02}@acme.example") for number in range(1000, 1006)] + [member(77, "buyer@customer.example")]}
        self.roles = [{"kind": "admin#directory#role", "etag": f'"r{role}"', "roleId": str(role), "roleName": name, "roleDescription": name, "isSystemRole": True,
                       "isSuperAdminRole": role == 1, "rolePrivileges": []} for role, name in enumerate(("_SEED_ADMIN_ROLE", "_HELP_DESK_ADMIN_ROLE"), 1)]
        self.assignments = [{"kind": "admin#directory#roleAssignment", "etag": f'"{number}"', "roleAssignmentId": str(number), "roleId": role, "assignedTo": to,
                             "assigneeType": kind, "scopeType": "CUSTOMER"}
                            for number, (role, to, kind) in enumerate((("1", "1000", "user"), ("1", "1001", "user"), ("2", "1005", "user"), ("2", "g-sales", "group")), 1)]
        self.log = [activity(number, f"2026-11-{21 - number:02}T10:00:00.000Z", "ASSIGN_ROLE", ADMIN, f"eng-{number:02}@acme.example") for number in range(1, 7)]
        self.log.append(activity(7, "2026-11-14T10:00:00.000Z", "ASSIGN_ROLE", "eng-01@acme.example", "Eng-01@acme.example"))
        self.delegated = set(SCOPES)
        self.key = None

    def service_account(self, endpoint):
        """The file that Google hands out for a service account; its key is another one at each start."""
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        pem = self.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        return {"type": "service_account", "project_id": "acme", "private_key_id": "key-1", "private_key": pem, "client_email": "vouch@acme.iam.example",
                "client_id": "107", "token_uri": f"{endpoint}/token"}

    def delegate(self, *names):
        self.delegated = set(names)

    def suspend(self, email):
        for one in self.users:
            if one["primaryEmail"] == email:
                one["suspended"] = True
        self.log.insert(0, activity(90, "2026-11-22T10:00:00.000Z", "SUSPEND_USER", ADMIN, email))

    def token(self, here, body):
        """RFC 7523, and what domain-wide delegation adds: in whose name, and each scope by itself."""
        form = dict(urllib.parse.parse_qsl(body.decode()))
        head, claims, signature = form["assertion"].split(".")
        said = json.loads(unpadded(claims))
        try:
            self.key.public_key().verify(unpadded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, []
        right = form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer" and json.loads(unpadded(head)) == {"alg": "RS256", "typ": "JWT", "kid": "key-1"} \
            and said["iss"] == "vouch@acme.iam.example" and said["aud"] == f"{here}/token" and said["iat"] <= time.time() + 5 and said["exp"] <= said["iat"] + 3600
        if not right:
            return 400, {"error": "invalid_grant", "error_description": "Invalid JWT"}, []
        if said.get("sub") != ADMIN or not set(said["scope"].split()) <= self.delegated:
            return 401, {"error": "unauthorized_client", "error_description": "Client is unauthorized to retrieve access tokens using this method, or client not "
                                                                              "authorized for any of the scopes requested."}, []
        return 200, {"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"}, []

    def answer(self, here, path, query, body):
        if path == "/token":
            return self.token(here, body)
        path = path.removeprefix("/admin/")
        if path == "directory/v1/customers/my_customer":
            return 200, {"kind": "admin#directory#customer", "id": "C01acme", "etag": '"c"', "customerDomain": "acme.example", "alternateEmail": RECOVERY,
                         "phoneNumber": PHONE, "customerCreationTime": "2025-01-01T00:00:00.000Z", "language": "de",
                         "postalAddress": {"addressLine1": HOME_ADDRESS, "countryCode": "DE"}}, []
        if path == "directory/v1/customer/my_customer/domains":
            return 200, {"kind": "admin#directory#domains", "etag": '"d"', "domains": [{"kind": "admin#directory#domain", "domainName": "acme.example", "isPrimary": True,
                                                                                      "verified": True, "creationTime": "1735689600000", "etag": '"d1"'}]}, []
        lists = {"directory/v1/users": ("users", self.users), "directory/v1/groups": ("groups", self.groups),
                 "directory/v1/customer/my_customer/roles": ("items", self.roles), "directory/v1/customer/my_customer/roleassignments": ("items", self.assignments),
                 "reports/v1/activity/users/all/applications/admin": ("items", self.log)}
        if members := re.fullmatch(r"directory/v1/groups/([^/]+)/members", path):
            return self.page("members", self.members.get(members.group(1), []), query)
        return self.page(*lists[path], query)

    @staticmethod
    def page(name, items, query):
        start = int(query.get("pageToken", "token-0").removeprefix("token-"))
        size = min(PAGE, int(query["maxResults"]))
        answer = {"kind": "admin#directory#list", "etag": f'"{start}"'}
        if items[start:start + size]:
            answer[name] = items[start:start + size]
        if start + size < len(items):
            answer["nextPageToken"] = f"token-{start + size}"
        return 200, answer, []
