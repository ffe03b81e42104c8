"""Microsoft Graph as far as the catalogue asks it: learn.microsoft.com/graph, reference v1.0 ("List users", "List userRegistrationDetails", "List unifiedRoleAssignments", "List
conditionalAccessPolicies", "List managedDevices", "List deviceCompliancePolicies"), "Paging", "Throttling" and "Error responses"; and the token service:
learn.microsoft.com/entra/identity-platform, "OAuth 2.0 client credentials flow"."""
import base64
import urllib.parse

TOKEN = "eyJ0eXAi.not-for-the-home-graph.9c"
CLIENT, SECRET = "8d2a-client", "graph-client-secret-5f~1"
PHONE = "+49-30-555-0199"
SECRETS = [TOKEN, SECRET, PHONE]
PAGE = 5
TENANT = "4f2e-tenant"


def lets_in(headers, path):
    return path.endswith("/token") or headers.get("Authorization") == f"Bearer {TOKEN}"


def error(status):
    code = {401: "InvalidAuthenticationToken", 403: "Authorization_RequestDenied", 404: "Request_ResourceNotFound", 429: "TooManyRequests"}[status]
    return {"error": {"code": code, "message": "Insufficient privileges to complete the operation." if status == 403 else code,
                      "innerError": {"date": "2026-11-20T08:00:00", "request-id": "r", "client-request-id": "c"}}}


def limit_headers(left, reset):
    return {"Retry-After": "1"} if left == 0 else {}


def user(number, **more):
    login = f"Eng-{number:02}@acme.example"
    return {"id": f"u{number:02}", "userPrincipalName": login, "mail": login.lower(), "accountEnabled": True, "userType": "Member", "createdDateTime": "2025-02-01T09:00:00Z"} | more


def device(number, **more):
    return {"id": f"d{number}", "deviceName": f"pc-{number}", "operatingSystem": "Windows", "osVersion": "10.0.26100.1", "managedDeviceOwnerType": "company",
            "enrolledDateTime": "2026-01-05T09:00:00Z", "lastSyncDateTime": "2026-11-24T09:00:00Z", "complianceState": "compliant", "isEncrypted": True, "jailBroken": "Unknown",
            "userPrincipalName": f"Eng-{number:02}@acme.example", "emailAddress": f"eng-{number:02}@acme.example", "serialNumber": f"S{number}"} | more


def compliance(name, kind, **more):
    return {"@odata.type": f"#microsoft.graph.{kind}CompliancePolicy", "id": name, "displayName": name, "description": None, "version": 1,
            "createdDateTime": "2026-01-01T00:00:00Z", "lastModifiedDateTime": "2026-01-01T00:00:00Z", "osMinimumVersion": None, "osMaximumVersion": None,
            "storageRequireEncryption": False, "passwordRequired": False, "passwordMinutesOfInactivityBeforeLock": None,
            "assignments": [{"id": f"{name}_all", "target": {"@odata.type": "#microsoft.graph.allLicensedUsersAssignmentTarget"}}]} | more


class World:
    """Twelve people: eng-00 and eng-01 are global admins, the first with a passkey; eng-02 registered nothing; eng-04 has not been seen for long; eng-05 is disabled; eng-06 is a guest.
    Six devices: pc-2 is not encrypted, pc-3 not compliant, pc-4 silent, 5 a phone."""

    def __init__(self):
        self.users = [user(number) for number in range(12)]
        self.users[5]["accountEnabled"] = False
        self.users[6] |= {"userType": "Guest", "userPrincipalName": "buyer_customer.example#EXT#@acme.example", "mail": None}
        self.devices = [device(number) for number in range(6)]
        self.devices[2]["isEncrypted"] = False
        self.devices[3]["complianceState"] = "noncompliant"
        self.devices[4]["lastSyncDateTime"] = "2026-08-01T09:00:00Z"
        self.devices[5]["operatingSystem"] = "iOS"
        self.defaults = False
        self.headers = {}
        self.policies = [{"id": "p1", "displayName": "MFA for all", "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": None, "state": "enabled",
                          "conditions": {"clientAppTypes": ["all"], "signInRiskLevels": [], "userRiskLevels": [], "locations": None, "platforms": None, "devices": None,
                                         "applications": {"includeApplications": ["All"], "excludeApplications": [], "includeUserActions": []},
                                         "users": {"includeUsers": ["All"], "excludeUsers": ["u01"], "includeGroups": [], "excludeGroups": [], "includeRoles": [], "excludeRoles": []}},
                          "grantControls": {"operator": "OR", "builtInControls": ["mfa"], "customAuthenticationFactors": [], "termsOfUse": [], "authenticationStrength": None},
                          "sessionControls": None},
                         {"id": "p2", "displayName": "No old protocols", "createdDateTime": "2026-01-01T00:00:00Z", "modifiedDateTime": None, "state": "enabled",
                          "conditions": {"clientAppTypes": ["exchangeActiveSync", "other"], "locations": None, "platforms": None,
                                         "applications": {"includeApplications": ["All"], "excludeApplications": []},
                                         "users": {"includeUsers": ["All"], "excludeUsers": [], "includeGroups": [], "excludeGroups": ["g1"], "includeRoles": [], "excludeRoles": []}},
                          "grantControls": None, "sessionControls": None}]

    def disable(self, login):
        for one in self.users:
            if one["userPrincipalName"] == login:
                one["accountEnabled"] = False

    def leave_policy_to_reports(self):
        self.policies[0]["state"] = "enabledForReportingButNotEnforced"

    def token(self, body):
        form = dict(urllib.parse.parse_qsl(body.decode()))
        expected = base64.b64encode(f"{CLIENT}:{urllib.parse.quote(SECRET)}".encode()).decode()
        if self.headers.get("Authorization") != f"Basic {expected}":
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."}, []
        if form != {"grant_type": "client_credentials", "scope": "https://graph.microsoft.com/.default"}:
            return 400, {"error": "invalid_scope", "error_description": "AADSTS1002012"}, []
        return 200, {"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": TOKEN}, []

    def answer(self, here, path, query, body):
        if path == f"/{TENANT}/oauth2/v2.0/token":
            return self.token(body)
        what = path.removeprefix("/v1.0/")
        if what == "policies/identitySecurityDefaultsEnforcementPolicy":
            return 200, {"id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults", "description": "", "isEnabled": self.defaults}, []
        strong = {"u00": ["passKeyDeviceBound", "microsoftAuthenticatorPush"], "u02": []}
        lists = {
            "organization": [{"id": "4f2e-0000", "displayName": "Acme", "createdDateTime": "2025-01-01T00:00:00Z"}],
            "users": [{"id": one["id"], "signInActivity": {"lastSignInDateTime": "2026-11-20T08:00:00Z" if one["id"] != "u04" else "2026-01-01T08:00:00Z",
                                                           "lastSignInRequestId": "r", "lastNonInteractiveSignInDateTime": None}} if "signInActivity" in query["$select"] else one
                      for one in self.users] if what == "users" else [],
            "reports/authenticationMethods/userRegistrationDetails": [
                {"id": one["id"], "userPrincipalName": one["userPrincipalName"], "userDisplayName": "Eng", "userType": one["userType"].lower(), "isAdmin": one["id"] in ("u00", "u01"),
                 "isMfaRegistered": one["id"] != "u02", "isMfaCapable": True, "isPasswordlessCapable": False, "isSsprRegistered": True, "isSsprEnabled": True, "isSsprCapable": True,
                 "methodsRegistered": strong.get(one["id"], ["microsoftAuthenticatorPush"]), "lastUpdatedDateTime": "2026-11-20T08:00:00Z"} for one in self.users],
            "roleManagement/directory/roleDefinitions": [{"id": "62e90394-69f5-4237-9190-012177145e10", "displayName": "Global Administrator", "isBuiltIn": True, "isEnabled": True}],
            "roleManagement/directory/roleAssignments": [
                {"id": f"ra-{who}", "principalId": who, "roleDefinitionId": "62e90394-69f5-4237-9190-012177145e10", "directoryScopeId": "/"} for who in ("u00", "u01")],
            "identity/conditionalAccess/policies": self.policies,
            "deviceManagement/managedDevices": self.devices,
            "deviceManagement/deviceCompliancePolicies": [
                compliance("windows", "windows10", bitLockerEnabled=True, passwordRequired=True, passwordMinutesOfInactivityBeforeLock=15, osMinimumVersion="10.0.26100")],
        }
        start = int(query.get("$skiptoken", 0))
        answer = {"@odata.context": f"https://graph.microsoft.com/v1.0/$metadata#{what}", "value": lists[what][start:start + PAGE]}
        if start + PAGE < len(lists[what]):
            answer["@odata.nextLink"] = f"{here}{path}?{urllib.parse.urlencode(query | {'$skiptoken': start + PAGE})}"
        return 200, answer, []
