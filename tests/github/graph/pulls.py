"""Pull requests: reviews, commits, timeline."""
from .. import protection, render
from ..routes.pulls import association, changed_files
from ..state import iso, node_id
from .checks import rollup
from .repositories import at, ref, state_of
from .types import In, connect, fields

# ---- Pull requests -----------------------------------------------------------------------------------------------------------------------


def in_repository(rq, repo):
    """The REST helpers look at the request's repository and organisation."""
    rq.repo, rq.org = repo, repo.org
    return rq


def reviews(pull, rq, states=None, author=None, **page):
    found = [In("PullRequestReview", pull, r) for r in pull.reviews if (r.state != "PENDING" or r.user is rq.user) and (not states or r.state in states)
             and (author is None or r.user and r.user.login == author)]
    return connect(found, **page)


def latest_reviews(pull, rq, writersOnly=False, **page):
    return connect([In("PullRequestReview", pull, r) for r in protection.latest_reviews(pull)], **page)


def commits(pull, rq, **page):
    return connect([In("PullRequestCommit", pull, pull.repository.commits[sha]) for sha in pull.commits], **page)


def review_decision(pull, rq):
    """None where no review is required."""
    repo = pull.repository
    wanted = [rule["parameters"]["required_approving_review_count"] for ruleset in protection.rulesets(repo, pull.base_ref)
              for rule in ruleset.body.get("rules") or [] if rule["type"] == "pull_request"]
    classic = (repo.branches[pull.base_ref].protection or {}).get("required_pull_request_reviews") if pull.base_ref in repo.branches else None
    wanted += [classic.get("required_approving_review_count", 1)] if classic else []
    if not any(wanted):
        return None
    if any(r.state == "CHANGES_REQUESTED" for r in protection.latest_reviews(pull)):
        return "CHANGES_REQUESTED"
    return "APPROVED" if len(protection.approvals(rq.world, pull)) >= max(wanted) else "REVIEW_REQUIRED"


def blocked(pull, rq):
    return any(not e.passed and e.enforcement == "active" for e in protection.evaluate(rq, pull.repository, pull.base_ref, "merge", pull.head_sha, pull))


def total(member):
    return lambda p, rq: sum(f[member] for f in changed_files(p.repository, p))


fields("PullRequest", id=lambda p, rq: p.node_id, databaseId=lambda p, rq: p.id & 0x7FFFFFFF, fullDatabaseId=lambda p, rq: str(p.id), number=lambda p, rq: p.number,
       title=lambda p, rq: p.title, body=lambda p, rq: p.body or "", bodyText=lambda p, rq: p.body or "", state=lambda p, rq: state_of(p),
       isDraft=lambda p, rq: p.draft, isCrossRepository=lambda p, rq: False, merged=lambda p, rq: p.merged_at is not None, mergedAt=lambda p, rq: iso(p.merged_at),
       closed=lambda p, rq: p.state == "closed", closedAt=lambda p, rq: iso(p.closed_at), createdAt=lambda p, rq: iso(p.created_at),
       updatedAt=lambda p, rq: iso(p.updated_at), publishedAt=lambda p, rq: iso(p.created_at), author=lambda p, rq: p.author, mergedBy=lambda p, rq: p.merged_by,
       authorAssociation=lambda p, rq: association(in_repository(rq, p.repository), p.author), mergeCommit=lambda p, rq: at(p.repository, p.merge_sha),
       potentialMergeCommit=lambda p, rq: None, baseRefName=lambda p, rq: p.base_ref, baseRefOid=lambda p, rq: p.base_sha, headRefName=lambda p, rq: p.head_ref,
       headRefOid=lambda p, rq: p.head_sha, baseRef=lambda p, rq: ref(p.repository, p.base_ref), headRef=lambda p, rq: ref(p.repository, p.head_ref),
       repository=lambda p, rq: p.repository, baseRepository=lambda p, rq: p.repository, headRepository=lambda p, rq: p.repository,
       headRepositoryOwner=lambda p, rq: p.repository.org, reviews=reviews, latestReviews=latest_reviews, latestOpinionatedReviews=latest_reviews, commits=commits,
       reviewDecision=review_decision, locked=lambda p, rq: False, isInMergeQueue=lambda p, rq: False, autoMergeRequest=lambda p, rq: None,
       mergeable=lambda p, rq: "MERGEABLE" if p.state == "open" else "UNKNOWN", maintainerCanModify=lambda p, rq: False,
       mergeStateStatus=lambda p, rq: "UNKNOWN" if p.state != "open" else "BLOCKED" if blocked(p, rq) else "CLEAN", additions=total("additions"),
       deletions=total("deletions"), changedFiles=lambda p, rq: len(changed_files(p.repository, p)), labels=lambda p, rq, orderBy=None, **page: connect([], **page),
       files=lambda p, rq, **page: connect([In("PullRequestChangedFile", p, f) for f in changed_files(p.repository, p)], **page),
       assignees=lambda p, rq, **page: connect([], **page), url=lambda p, rq: f"{render.WEB}/{p.repository.full_name}/pull/{p.number}",
       reviewRequests=lambda p, rq, **page: connect([In("ReviewRequest", p, who) for who in [*p.requested, *p.requested_teams]], **page),
       statusCheckRollup=lambda p, rq: rollup(at(p.repository, p.head_sha), rq))
fields("ReviewRequest", id=lambda o, rq: node_id("RRQ", o.home.id, o.it.id), requestedReviewer=lambda o, rq: o.it, asCodeOwner=lambda o, rq: False,
       pullRequest=lambda o, rq: o.home)
fields("PullRequestChangedFile", path=lambda o, rq: o.it["filename"], additions=lambda o, rq: o.it["additions"], deletions=lambda o, rq: o.it["deletions"],
       changeType=lambda o, rq: {"removed": "DELETED"}.get(o.it["status"], o.it["status"].upper()))
fields("PullRequestCommit", id=lambda o, rq: node_id("PURC", o.home.id, int(o.it.sha[:12], 16)), commit=lambda o, rq: In("Commit", o.home.repository, o.it),
       pullRequest=lambda o, rq: o.home, url=lambda o, rq: f"{render.WEB}/{o.home.repository.full_name}/pull/{o.home.number}/commits/{o.it.sha}")
fields("PullRequestReview", id=lambda o, rq: node_id("PRR", o.home.repository.id, o.it.id), databaseId=lambda o, rq: o.it.id & 0x7FFFFFFF,
       fullDatabaseId=lambda o, rq: str(o.it.id), state=lambda o, rq: o.it.state, author=lambda o, rq: o.it.user, body=lambda o, rq: o.it.body,
       bodyText=lambda o, rq: o.it.body, submittedAt=lambda o, rq: None if o.it.state == "PENDING" else iso(o.it.submitted_at),
       createdAt=lambda o, rq: iso(o.it.submitted_at), updatedAt=lambda o, rq: iso(o.it.submitted_at), publishedAt=lambda o, rq: iso(o.it.submitted_at),
       commit=lambda o, rq: at(o.home.repository, o.it.commit_id), pullRequest=lambda o, rq: o.home, repository=lambda o, rq: o.home.repository,
       authorAssociation=lambda o, rq: association(in_repository(rq, o.home.repository), o.it.user),
       authorCanPushToRepository=lambda o, rq: bool(o.it.user) and rq.world.permission(o.it.user, o.home.repository) in ("write", "maintain", "admin"),
       url=lambda o, rq: f"{render.WEB}/{o.home.repository.full_name}/pull/{o.home.number}#pullrequestreview-{o.it.id}")

# ---- Timeline ------------------------------------------------------------------------------------------------------------------------------

EVENTS = {"review_dismissed": "ReviewDismissedEvent", "head_ref_force_pushed": "HeadRefForcePushedEvent", "merged": "MergedEvent", "closed": "ClosedEvent",
          "reopened": "ReopenedEvent", "base_ref_changed": "BaseRefChangedEvent", "review_requested": "ReviewRequestedEvent"}


def type_name(kind):
    """ReviewDismissedEvent as the enum names it: REVIEW_DISMISSED_EVENT."""
    return "".join(f"_{c}" if c.isupper() and i else c for i, c in enumerate(kind)).upper()


def timeline(pull, rq, itemTypes=None, since=None, skip=None, **page):
    items = [(pull.repository.commits[sha].date, 0, In("PullRequestCommit", pull, pull.repository.commits[sha])) for sha in pull.commits]
    items += [(r.submitted_at, 1, In("PullRequestReview", pull, r)) for r in pull.reviews if r.state != "PENDING"]
    items += [(entry[0], 2, In(EVENTS[entry[1]], pull, Event(*entry))) for entry in pull.events]
    items.sort(key=lambda item: item[:2])
    return connect([item[2] for item in items if not itemTypes or type_name(item[2].kind) in itemTypes], **page)


class Event:
    __slots__ = ("at", "name", "id", "actor", "details")

    def __init__(self, *parts):
        self.at, self.name, self.id, self.actor, self.details = parts


def dismissed_review(o, rq):
    number = o.it.details["review"]["review_id"]
    return next((In("PullRequestReview", o.home, r) for r in o.home.reviews if r.id == number), None)


fields("PullRequest", timelineItems=timeline)
fields("PullRequestTimelineItemsConnection", filteredCount=lambda c, rq: len(c.items), pageCount=lambda c, rq: c.stop - c.start)
for _kind in EVENTS.values():
    fields(_kind, id=lambda o, rq: node_id("EV", o.home.repository.id, o.it.id), actor=lambda o, rq: o.it.actor, createdAt=lambda o, rq: iso(o.it.at))
for _kind in ("ReviewDismissedEvent", "HeadRefForcePushedEvent", "MergedEvent", "BaseRefChangedEvent", "ReviewRequestedEvent"):
    fields(_kind, pullRequest=lambda o, rq: o.home)
for _kind in ("ReviewDismissedEvent", "MergedEvent", "ClosedEvent"):
    fields(_kind, url=lambda o, rq: f"{render.WEB}/{o.home.repository.full_name}/pull/{o.home.number}#event-{o.it.id}")
fields("BaseRefChangedEvent", currentRefName=lambda o, rq: o.it.details["now"], previousRefName=lambda o, rq: o.it.details["before"])
fields("ReviewDismissedEvent", previousReviewState=lambda o, rq: o.it.details["review"]["state"].upper(), review=dismissed_review,
       dismissalMessage=lambda o, rq: o.it.details["review"]["dismissal_message"])
fields("HeadRefForcePushedEvent", afterCommit=lambda o, rq: at(o.home.repository, o.it.details["commit"]), beforeCommit=lambda o, rq: None,
       ref=lambda o, rq: ref(o.home.repository, o.home.head_ref))
fields("MergedEvent", commit=lambda o, rq: at(o.home.repository, o.it.details["commit"]), mergeRefName=lambda o, rq: o.home.base_ref,
       mergeRef=lambda o, rq: ref(o.home.repository, o.home.base_ref))
fields("ClosedEvent", closable=lambda o, rq: o.home, stateReason=lambda o, rq: None)
fields("ReopenedEvent", closable=lambda o, rq: o.home, stateReason=lambda o, rq: None)
fields("ReviewRequestedEvent", requestedReviewer=lambda o, rq: o.it.details.get("reviewer") or o.it.details.get("team"))
