"""REST, one file for each area. Importing this declares every route."""
from ..app import ROUTES
from . import actions, alerts, apps, checks, contents, deployments, issues, meta, organisation, pulls, repositories, rulesets, teams

__all__ = ["ROUTES", "actions", "alerts", "apps", "checks", "contents", "deployments", "issues", "meta", "organisation", "pulls", "repositories", "rulesets",
           "teams"]
