"""A stand-in for GitHub, with state: one program for tests, demo and bench.

It is changed only by calls that GitHub has too (REST, and GraphQL for reading), and with `validate` each answer is held against GitHub's own
published schema before it leaves, so that it cannot answer in a shape that GitHub would not.

    standin.py      start here: `with GitHub(people=25) as github:` runs it in a process of its own
    state.py        organisations, people, repositories, pull requests, ... as plain values
    seed.py         what is made by hand on github.com (organisation, people, tokens, App), and generated repositories at bench size
    protection.py   which rules apply to a branch, and what they say of a push or a merge
    events.py       what every change leaves behind: audit log and webhook deliveries
    render.py       values as GitHub's JSON
    routes/         REST, one file for each area
    graph/          GraphQL over the same state
    access.py       tokens, scopes, permissions, App sign-in
    limits.py       primary and secondary rate limits
    app.py          one request through all of that: sign-in, limits, route, paging, validator, schema
    server.py       HTTP/1.1, and the control port that only tests know
    validation.py   GitHub's OpenAPI description as a judge

Rules taken from GitHub's documentation name their page (below docs.github.com/en) in a comment.
"""
