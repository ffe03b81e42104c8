"""PagerDuty as far as the catalogue asks it: developer.pagerduty.com, REST API reference ("List incidents", "List log entries for an incident", "List all of the on-calls", "List
escalation policies", "List services", "List users"), "Authentication", "Pagination" and "Rate Limits"."""
import datetime

TOKEN = "pagerduty-token-not-for-the-home-u+W"
TITLE = "Customer Mustermann: checkout down"
SECRETS = [TOKEN, TITLE]


def lets_in(headers, _):
    return headers.get("Authorization") == f"Token token={TOKEN}"


def error(status):
    said = {401: (2006, "Unauthorized"), 403: (2010, "Access Denied"), 404: (2100, "Not Found"), 429: (2020, "Rate Limit Exceeded")}[status]
    return {"error": {"message": said[1], "code": said[0], "errors": []}}


def limit_headers(left, reset):
    return {"ratelimit-limit": "960", "ratelimit-remaining": str(left), "ratelimit-reset": "1"}


def named(kind, identity, **more):
    return {"id": identity, "type": kind, "summary": identity, "self": f"https://api.pagerduty.com/{identity}", "html_url": None} | more


def at(days, minutes=0):
    return (datetime.datetime(2026, 11, 24, 10) - datetime.timedelta(days=days) + datetime.timedelta(minutes=minutes)).strftime("%Y-%m-%dT%H:%M:%SZ")


def incident(number, created, urgency="high"):
    return named("incident", f"I{number}", incident_number=number, title=TITLE, description=TITLE, summary=f"[#{number}] {TITLE}", created_at=created, status="resolved", urgency=urgency,
                 service=named("service_reference", "SWEB"), assignments=[], acknowledgements=[], last_status_change_at=created, teams=[], priority=None,
                 escalation_policy=named("escalation_policy_reference", "PWEB"), incident_key="k")


def entry(number, kind, created, agent="user_reference"):
    return named(f"{kind}_log_entry", f"L{number}{kind}", summary=TITLE, created_at=created, agent=named(agent, "U1"), channel={"type": "web_trigger"}, teams=[], contexts=[],
                 incident=named("incident_reference", f"I{number}", summary=TITLE), service=named("service_reference", "SWEB"))


class World:
    """Two services: web with two levels and somebody on call, batch with one level and nobody. Three incidents: answered, answered too late, not urgent."""

    def __init__(self):
        self.users = [named("user", f"U{number}", name="Eng", email=f"Eng-{number:02}@acme.example", role="user", time_zone="Europe/Berlin") for number in range(4)]
        self.services = [named("service", f"S{name.upper()}", name=name, status="active", created_at=at(300), escalation_policy=named("escalation_policy_reference", f"P{name.upper()}"),
                               teams=[], integrations=[]) for name in ("web", "batch")]
        rule = {"id": "R", "escalation_delay_in_minutes": 15, "targets": [named("schedule_reference", "SCH")]}
        self.policies = [named("escalation_policy", "PWEB", name="web", escalation_rules=[rule, rule], num_loops=2, services=[], teams=[]),
                         named("escalation_policy", "PBATCH", name="batch", escalation_rules=[rule], num_loops=0, services=[], teams=[])]
        self.oncalls = [{"user": named("user_reference", "U1"), "schedule": named("schedule_reference", "SCH"), "escalation_policy": named("escalation_policy_reference", "PWEB"),
                         "escalation_level": 1, "start": at(1), "end": at(-6)},
                        {"user": named("user_reference", "U0"), "schedule": None, "escalation_policy": named("escalation_policy_reference", "PWEB"), "escalation_level": 2,
                         "start": None, "end": None}]
        self.incidents = [incident(1, at(3)), incident(2, at(2)), incident(3, at(1), "low")]
        self.entries = {"I1": [entry(1, "trigger", at(3), "service_reference"), entry(1, "acknowledge", at(3, 5))], "I2": [entry(2, "acknowledge", at(2, 50))], "I3": []}

    def fill(self):
        """Somebody takes the alarms of batch."""
        self.oncalls.append(self.oncalls[0] | {"escalation_policy": named("escalation_policy_reference", "PBATCH")})

    def answer(self, here, path, query, body):
        if path == "/abilities":
            return 200, {"abilities": ["teams", "urgencies"]}, []
        what = path[1:].split("/")
        items = self.entries[what[1]] if len(what) == 3 else {"users": self.users, "services": self.services, "escalation_policies": self.policies, "oncalls": self.oncalls,
                                                              "incidents": self.incidents}[what[0]]
        start, size = int(query.get("offset", 0)), int(query["limit"])
        return 200, {what[-1]: items[start:start + size], "limit": size, "offset": start, "more": start + size < len(items), "total": None}, []
