"""Who asks, and what their token may do.

* classic tokens (`ghp_`) carry scopes, and act as their user                 (apps/oauth-apps/building-oauth-apps/scopes-for-oauth-apps)
* fine-grained tokens (`github_pat_`) carry permissions, and act as their user (rest/authentication/permissions-required-for-fine-grained-personal-access-tokens)
* installation tokens (`ghs_`) carry permissions, act as an App, live an hour  (apps/creating-github-apps/authenticating-with-a-github-app)
* an App's own JWT, RS256, at most ten minutes long                            (…/generating-a-json-web-token-jwt-for-a-github-app)
"""
import base64
import dataclasses
import hashlib
import json
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from .state import PERMISSIONS

LEVELS = {"read": 1, "write": 2, "admin": 3}
DOCUMENTATION = "https://docs.github.com/rest"


class Refused(Exception):
    """Becomes an answer with this status and GitHub's error body."""

    def __init__(self, status, message, errors=None, headers=(), page=""):
        super().__init__(message)
        self.status, self.headers = status, list(headers)
        self.body = {"message": message, "documentation_url": DOCUMENTATION + page}
        if errors is not None:
            self.body["errors"] = errors
        elif status != 422:
            self.body["status"] = str(status)


@dataclasses.dataclass(slots=True, eq=False)
class Token:
    value: str
    kind: str  # classic | fine | installation | jwt | anonymous
    user: Any = None  # whose token; an App's bot
    installation: Any = None
    app: Any = None
    scopes: tuple = ()
    permissions: dict = dataclasses.field(default_factory=dict)
    repositories: set | None = None  # ids; None: all
    expires_at: int | None = None

    @property
    def budget(self):
        """Whose rate limit is used: one for all tokens of a user, one for each installation."""
        return self.installation.id if self.installation else self.user.login if self.user else self.kind


def secret(prefix, *parts):
    """A token for tests: the same for the same parts, and in the form that GitHub's have."""
    digest = base64.b32encode(hashlib.sha256("/".join(map(str, parts)).encode()).digest()).decode().rstrip("=")
    return f"{prefix}{digest[:36]}"


def classic_token(login):
    """The classic token that the stand-in has for each of its people, with every scope."""
    return secret("ghp_", "classic", login)


ALL_SCOPES = ("repo", "admin:org", "admin:repo_hook", "admin:org_hook", "read:audit_log", "security_events", "user", "workflow")
IMPLIED = {"admin:org": ("write:org", "read:org"), "write:org": ("read:org",), "repo": ("public_repo", "repo:status", "repo_deployment", "security_events"),
           "admin:org_hook": (), "user": ("read:user",)}
SCOPE_OF = {"members": {"read": "read:org", "write": "admin:org"}, "organization_administration": {"read": "admin:org", "write": "admin:org"},
            "organization_hooks": {"read": "admin:org_hook", "write": "admin:org_hook"}, "metadata": {"read": None}, "audit_log": {"read": "read:audit_log"},
            "organization_personal_access_tokens": {"read": None, "write": None}}


def has_scope(token, scope):
    return scope is None or scope in token.scopes or any(scope in IMPLIED.get(own, ()) for own in token.scopes)


def sign_in(world, header):
    """The token behind an Authorization header."""
    if not header:
        return Token("", "anonymous")
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "basic":  # a token as password is accepted
        value = base64.b64decode(value + "==").decode("utf-8", "replace").partition(":")[2]
    if value.count(".") == 2 and not value.startswith("ghs_"):
        return read_jwt(world, value)
    token = world.tokens.get(value)
    if token is None or token.expires_at is not None and token.expires_at <= world.now():
        raise Refused(401, "Bad credentials")
    return token


def unpack(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def read_jwt(world, text):
    """apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app"""
    try:
        head, claims, signature = text.split(".")
        header, said = json.loads(unpack(head)), json.loads(unpack(claims))
        now, issuer = world.now(), str(said["iss"])
        app = next((a for a in world.apps.values() if issuer in (str(a.id), a.client_id)), None)
    except (ValueError, KeyError, TypeError):
        raise Refused(401, "A JSON web token could not be decoded") from None
    if header.get("alg") != "RS256" or app is None:
        raise Refused(401, "A JSON web token could not be decoded")
    try:
        app.public_key.verify(unpack(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        raise Refused(401, "A JSON web token could not be decoded") from None
    if not isinstance(said.get("exp"), int) or said["exp"] <= now:
        raise Refused(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires")
    if said["exp"] > now + 600 + 60:
        raise Refused(401, "'Expiration time' claim ('exp') is too far in the future")
    if not isinstance(said.get("iat"), int) or said["iat"] > now + 60:
        raise Refused(401, "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued")
    return Token(text, "jwt", app=app)


# ---- What a token may ------------------------------------------------------------------------------------------------


def sees(world, token, repository):
    """Whether a token may know that a repository is there: what it may not see is 404, not 403."""
    if repository.visibility == "public":
        return True
    if token.kind == "installation":
        installation = token.installation
        return installation.org is repository.org and (installation.selection == "all" or repository.id in installation.repositories) and (
            token.repositories is None or repository.id in token.repositories)
    if token.user is None or token.kind == "classic" and not has_scope(token, "repo"):
        return False
    if token.repositories is not None and repository.id not in token.repositories:
        return False
    return world.permission(token.user, repository) != "none"


def granted(token, alternatives):
    """Whether a token has one of the permissions, each `name:level`."""
    for each in alternatives:
        name, level = each.split(":")
        if token.kind in ("installation", "fine"):
            if LEVELS.get(token.permissions.get(name), 0) >= LEVELS[level] or each == "metadata:read":
                return True
        elif token.kind == "classic" and has_scope(token, SCOPE_OF.get(name, {"read": "repo", "write": "repo"})[level]):
            return True
    return False


def demand(token, alternatives):
    if not alternatives or granted(token, alternatives):
        return
    if token.kind == "anonymous":
        raise Refused(401, "Requires authentication")
    if token.kind == "installation":
        raise Refused(403, "Resource not accessible by integration")
    if token.kind == "fine":
        raise Refused(403, "Resource not accessible by personal access token")
    raise Refused(404, "Not Found")  # a classic token without the scope


def role_needed(alternatives):
    """What its user must be, whatever the token says: derived from the permission."""
    name, level = (alternatives or ["metadata:read"])[0].split(":")
    if name in ("administration", "repository_hooks", "secret_scanning_alerts"):
        return "admin"
    if name in ("vulnerability_alerts", "security_events") or level == "write" and name != "pull_requests" and name != "issues":
        return "write"
    return "read"


def is_owner(token, org):
    return token.kind in ("classic", "fine") and org.members.get(token.user.login) == "admin"


def demand_role(world, token, alternatives, repository=None, org=None):
    if token.kind == "installation":
        return  # an App has its permissions and no role
    if repository is not None:
        needed = role_needed(alternatives)
        has = world.permission(token.user, repository) if token.user else "read"
        if PERMISSIONS.index(has) < PERMISSIONS.index(needed):
            raise Refused(403, "Must have admin rights to Repository." if needed == "admin" else "You do not have permission to access this resource.")
    elif org is not None and alternatives:
        name, level = alternatives[0].split(":")
        owners_only = name in ("organization_administration", "organization_hooks", "audit_log") or name == "members" and level == "write"
        if owners_only and not is_owner(token, org):
            raise Refused(403, "Must have admin rights to Organization.")
