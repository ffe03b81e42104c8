"""Fleet as far as the catalogue asks it: fleetdm.com/docs/rest-api, "Hosts" (List hosts, Get host), "Authentication" (Me, too many requests) and "API errors"."""
TOKEN = "fleet-token-not-for-the-home-41d7"
PICTURE = "https://gravatar.elsewhere.example/private-picture"
SECRETS = [TOKEN, PICTURE]


def lets_in(headers, _):
    return headers.get("Authorization") == f"Bearer {TOKEN}"


def error(status):
    said = {401: "Authentication required", 403: "forbidden", 404: "Resource Not Found", 429: "limit exceeded, retry after: 1s"}[status]
    return {"message": said, "errors": [{"name": "base", "reason": said}], "uuid": "1272014b-902b-4b36-bcdb-75fde5eac1fc"}


def limit_headers(left, reset):
    return {"Retry-After": "1"} if left == 0 else {}


def host(number, people=(), platform="darwin", system="macOS 26.1", **more):
    return {"id": number, "created_at": "2026-01-05T05:09:44Z", "updated_at": "2026-11-20T06:03:39Z", "detail_updated_at": "2026-11-20T05:09:45Z",
            "last_restarted_at": "2026-11-19T03:01:45Z", "software_updated_at": "2026-11-20T05:09:44Z", "label_updated_at": "2026-11-20T05:14:51Z",
            "policy_updated_at": "2026-11-20T18:33:15Z", "last_enrolled_at": "2026-01-05T22:33:12Z", "seen_time": "2026-11-24T06:03:39Z", "refetch_requested": False,
            "hostname": f"mac-{number}.local", "uuid": f"392547dc-0000-0000-a87a-{number:012}", "platform": platform, "osquery_version": "5.20.0", "os_version": system,
            "build": "", "platform_like": platform, "code_name": "", "uptime": 8305000000000, "memory": 2084032512, "hardware_vendor": "", "hardware_model": "",
            "hardware_serial": f"C02{number:05}", "computer_name": f"mac-{number}", "display_name": f"mac-{number}", "public_ip": "", "primary_ip": "", "primary_mac": "",
            "status": "online", "display_text": f"mac-{number}", "team_id": None, "team_name": None, "gigs_disk_space_available": 174.98,
            "percent_disk_space_available": 71, "gigs_total_disk_space": 246, "pack_stats": None, "issues": {"failing_policies_count": 0, "total_issues_count": 0},
            "mdm": {"encryption_key_available": True, "enrollment_status": "On (automatic)", "name": "Fleet", "server_url": "https://fleet.acme.example/mdm/apple/mdm"},
            "device_mapping": [{"email": email, "source": "google_chrome_profiles"} for email in people] or None} | more


def policy(number, name, response, critical=False):
    return {"id": number, "name": name, "query": "SELECT 1;", "description": "", "author_id": 1, "team_id": None, "resolution": "", "platform": "darwin",
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "response": response, "critical": critical}


class World:
    """Eleven devices, and 95 servers to fill a page: mac-2 is not encrypted, 3 runs Linux and does not tell, mac-4 has no screen lock, mac-5 was seen long ago, mac-7 fails a
    critical policy, mac-9 has not answered."""

    def __init__(self):
        self.hosts = [host(number, [f"Eng-{number:02}@acme.example"]) for number in range(12) if number != 8]
        self.hosts[3] |= {"platform": "ubuntu", "os_version": "Ubuntu 24.04.3 LTS", "mdm": {"encryption_key_available": False, "enrollment_status": None, "name": "",
                                                                                           "server_url": None}}
        self.hosts[5] |= {"seen_time": "2026-09-01T06:03:39Z", "status": "offline"}
        self.hosts += [host(number, platform="ubuntu", system="Ubuntu 24.04.3 LTS") for number in range(100, 195)]

    def remove(self, number):
        self.hosts = [one for one in self.hosts if one["id"] != int(number)]

    def answer(self, here, path, query, body):
        kind, *rest = path.removeprefix("/api/v1/fleet/").split("/")
        if kind == "me":
            return 200, {"user": {"created_at": "2026-01-01T22:57:12Z", "updated_at": "2026-11-16T23:49:41Z", "id": 1, "name": "Vouch", "email": "vouch@acme.example",
                                  "global_role": "observer", "enabled": True, "force_password_reset": False, "gravatar_url": PICTURE, "sso_enabled": False,
                                  "teams": []}, "available_teams": []}, []
        if not rest:
            size = int(query["per_page"])
            start = int(query.get("page", 0)) * size
            return 200, {"hosts": self.hosts[start:start + size]}, []
        found = [one for one in self.hosts if str(one["id"]) == rest[0]]
        if not found:
            return 404, error(404), []
        number = found[0]["id"]
        detail = {key: value for key, value in found[0].items() if key != "device_mapping"} | {
            "users": [], "labels": [], "packs": [], "batteries": [], "end_users": [],
            "policies": [policy(1, "Lock screen after inactivity of 20 minutes or less enabled (macOS)", "fail" if number == 4 else "pass"),
                         policy(2, "Operating system up to date (macOS)", "" if number == 9 else "pass"),
                         policy(3, "Firewall enabled (macOS)", "fail" if number == 7 else "pass", critical=True)]}
        if number != 3:
            detail["disk_encryption_enabled"] = number != 2
        return 200, {"host": detail}, []
