"""Jira Cloud as far as the catalogue asks it: developer.atlassian.com, "The Jira Cloud platform REST API" v3: "Search for issues using JQL enhanced search", "Bulk fetch changelogs",
"Get remote issue links", "Get current user"; "Basic auth for REST APIs"; "Rate limiting"."""
import base64
import json

USER, TOKEN = "vouch@acme.example", "jira-token-not-for-the-home-ATATT3"
TITLE = "Customer Mustermann can't sign in"
SECRETS = [TOKEN, TITLE]
PAGE = 3  # Jira may always give fewer than it was asked for


def lets_in(headers, _):
    return headers.get("Authorization") == "Basic " + base64.b64encode(f"{USER}:{TOKEN}".encode()).decode()


def error(status):
    said = {401: "Client must be authenticated to access this resource.", 403: "You do not have permission to browse.", 404: "Issue does not exist or you do not have permission to see it.",
            429: "Rate limit exceeded."}[status]
    return {"errorMessages": [said], "errors": {}}


def limit_headers(left, reset):
    return {"Retry-After": "1"} if left == 0 else {}


def person(account):
    return account and {"accountId": account, "accountType": "atlassian", "active": True, "displayName": account.title(), "self": f"https://acme.atlassian.net/{account}",
                        "timeZone": "Europe/Berlin", "avatarUrls": {"48x48": "https://avatar.example/x"}}


def issue(number, label, created, resolved=None, **more):
    done = resolved is not None
    fields = {"issuetype": {"id": "1", "name": "Task", "subtask": False},
              "status": {"id": "3" if done else "1", "name": "Done" if done else "Open", "statusCategory": {"id": 3 if done else 2, "key": "done" if done else "new", "name": "x"}},
              "priority": {"id": "2", "name": "High"}, "created": created, "updated": resolved or created, "resolutiondate": resolved,
              "resolution": {"id": "1", "name": "Done"} if done else None, "assignee": person("lead"), "reporter": person("asker"), "labels": [label], "issuelinks": []} | more
    return {"id": str(number), "key": f"OPS-{number}", "self": f"https://acme.atlassian.net/rest/api/3/issue/{number}", "expand": "renderedFields,names", "fields": fields}


def step(number, author, before, after, at="2026-11-20T12:00:00.000+0000"):
    return {"id": str(number), "author": person(author), "created": at, "items": [{"field": "status", "fieldtype": "jira", "fieldId": "status", "from": "1", "fromString": before,
                                                                                      "to": "2", "toString": after}]}


class World:
    """Incidents: 1 open and owned, 2 open and nobody's, 3 resolved with a page, 4 resolved without, 5 old; access: 11 approved, 12 by who asked; 21 a change nobody approved; 31 an old
    vulnerability."""

    def __init__(self):
        early, late = "2026-11-20T09:00:00.000+0100", "2026-11-05T09:00:00.000+0100"
        self.issues = [issue(1, "incident", early), issue(2, "incident", early, assignee=None), issue(3, "incident", "2026-11-01T09:00:00.000+0100", late),
                       issue(4, "incident", "2026-11-01T09:00:00.000+0100", late), issue(5, "incident", "2026-09-01T09:00:00.000+0200"),
                       issue(11, "access-request", early, "2026-11-21T09:00:00.000+0100"), issue(12, "access-request", early, "2026-11-21T09:00:00.000+0100"),
                       issue(21, "change", early, "2026-11-21T09:00:00.000+0100"), issue(31, "vulnerability", "2026-09-01T09:00:00.000+0200")]
        self.links = {"3": [{"id": 7, "self": "https://acme.atlassian.net/x", "relationship": "Wiki Page", "object": {"url": "https://acme.atlassian.net/wiki/7", "title": "Post-mortem"}}]}
        self.steps = {"11": [step(101, "owner", "Waiting for approval", "In Progress"), step(102, "lead", "In Progress", "Done")],
                      "12": [step(103, "asker", "Waiting for approval", "In Progress")], "21": [step(104, "lead", "Open", "Done")]}

    def relabel(self, number, label):
        next(one for one in self.issues if one["id"] == number)["fields"]["labels"] = [label]

    def answer(self, here, path, query, body):
        what = path.removeprefix("/rest/api/3/")
        if what == "myself":
            return 200, person("vouch") | {"emailAddress": USER}, []
        if what == "changelog/bulkfetch":
            asked = json.loads(body)
            assert asked["fieldIds"] == ["status"]
            return 200, {"issueChangeLogs": [{"issueId": one, "changeHistories": self.steps[one]} for one in asked["issueIdsOrKeys"] if one in self.steps]}, []
        if what.endswith("/remotelink"):
            return 200, self.links.get(what.split("/")[1], []), []
        label = query["jql"].split(")")[0].removeprefix("(labels = ")
        wanted = set(query["fields"].split(","))
        found = [one | {"fields": {name: value for name, value in (one["fields"] | {"summary": TITLE}).items() if name in wanted}} for one in self.issues if label in one["fields"]["labels"]]
        start = int(query.get("nextPageToken", 0))
        answer = {"issues": found[start:start + PAGE]}
        if start + PAGE < len(found):
            answer["nextPageToken"] = str(start + PAGE)
        return 200, answer, []
