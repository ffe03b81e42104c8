"""Primary and secondary rate limits.   (rest/using-the-rest-api/rate-limits-for-the-rest-api, graphql/overview/rate-limits-and-query-limits-for-the-graphql-api)"""
from .access import Refused

HOUR = 3600
PAGE = "/using-the-rest-api/rate-limits-for-the-rest-api"


class Limits:
    """`limit` overrides the hourly points of every budget; `points_a_minute` turns the secondary limit on (GitHub's is 900 for REST, 2,000 for GraphQL);
    `silent` leaves `retry-after` out of its answers, as GitHub sometimes does."""

    def __init__(self, clock, limit=None, points_a_minute=None, silent=False):
        self.clock, self.limit, self.points_a_minute, self.silent = clock, limit, points_a_minute, silent
        self.windows = {}  # (budget, resource) -> [start, used]
        self.minutes = {}  # budget -> [start, points]

    def allowance(self, token, resource):
        if self.limit is not None:
            return self.limit
        if token.kind == "anonymous":
            return 60 if resource == "core" else 0
        if resource == "audit_log":
            return 1750
        if token.kind == "installation":
            org = token.installation.org
            if org.plan == "enterprise":
                return 15000
            return min(12500, 5000 + 50 * max(0, len(org.repositories) - 20) + 50 * max(0, len(org.members) - 20)) if resource == "core" else 5000
        return 5000

    def window(self, token, resource):
        now, key = self.clock.now(), (token.budget, resource)
        found = self.windows.get(key)
        if found is None or not found[0] <= now < found[0] + HOUR:
            found = self.windows[key] = [now, 0]
        return found

    def look(self, token, resource):
        start, used = self.window(token, resource)
        limit = self.allowance(token, resource)
        return {"limit": limit, "used": min(used, limit), "remaining": max(0, limit - used), "reset": start + HOUR}

    def charge(self, token, resource, points=1):
        self.window(token, resource)[1] += points

    def demand(self, token, resource, points=1):
        """Refuses when the hour is used up, or when too much was asked within this minute."""
        self.demand_hour(token, resource)
        self.demand_minute(token, points)

    def demand_hour(self, token, resource):
        if self.look(token, resource)["remaining"] < 1:
            who = f"for user ID {token.user.id}" if token.user else "for this address" if token.kind == "anonymous" else f"for installation ID {token.budget}"
            raise Refused(403, f"API rate limit exceeded {who}.", page=PAGE)

    def demand_minute(self, token, points):
        if self.points_a_minute is None:
            return
        now = self.clock.now()
        minute = self.minutes.get(token.budget)
        if minute is None or not minute[0] <= now < minute[0] + 60:
            minute = self.minutes[token.budget] = [now, 0]
        if minute[1] + points > self.points_a_minute:
            headers = [] if self.silent else [("Retry-After", str(minute[0] + 60 - now))]
            raise Refused(403, "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.", headers=headers,
                          page=PAGE + "#about-secondary-rate-limits")
        minute[1] += points
