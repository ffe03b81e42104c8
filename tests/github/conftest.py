"""One sample company for all tests that only read it, and a caller that gives status, headers and body."""
import base64
import http.client
import json
import pathlib
import sys

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

TESTS = pathlib.Path(__file__).resolve().parents[1]
for folder in (TESTS, TESTS / "company"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import codehost  # noqa: E402
from github.standin import GitHub  # noqa: E402

UNTIL = 1_772_000_000  # 2026-02-25


class Answer:
    def __init__(self, status, headers, raw):
        self.status, self.headers, self.raw = status, headers, raw
        self.body = json.loads(raw) if raw else None

    @property
    def next(self):
        links = self.headers.get("link", "")
        return next((part.split(">")[0].lstrip(" <") for part in links.split(",") if 'rel="next"' in part), None)


class Client:
    """ask("GET", path) -> Answer, as `eng-00` unless told otherwise. Nothing is followed and nothing is retried."""

    def __init__(self, github):
        self.github, self.connection = github, http.client.HTTPConnection("127.0.0.1", github.port)

    def __call__(self, method, path, body=None, token=None, by="eng-00", **headers):
        sent = {"User-Agent": "tests", "Authorization": f"Bearer {token or self.github.token(by)}"} | {k.replace("_", "-"): v for k, v in headers.items()}
        sent = {name: value for name, value in sent.items() if value is not None}
        path = path.removeprefix(self.github.endpoint)
        self.connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = self.connection.getresponse()
        return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())

    def jwt(self, **claims):
        now = int(self.github.clock())
        said = {"iat": now - 60, "exp": now + 540, "iss": self.github.app_id} | claims
        part = lambda value: base64.urlsafe_b64encode(value if isinstance(value, bytes) else json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
        signed = f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(said)}"
        key = serialization.load_pem_private_key(self.github.app_key.encode(), None)
        return f"{signed}.{part(key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256()))}"

    def installation_token(self, **body):
        made = self("POST", f"/app/installations/{self.github.installation_id}/access_tokens", body, token=self.jwt())
        assert made.status == 201, made.body
        return made.body["token"]


@pytest.fixture(scope="module")
def filled():
    """(github, plan): the sample company on Enterprise Cloud, its clock stopped."""
    with GitHub(people=25, plan="enterprise", validate=True, limit=1_000_000) as github:
        plan = codehost.fill(github, codehost.SMALL, until=UNTIL)
        github.clock("2026-02-25T06:13:20Z")
        yield github, plan
        assert github.violations() == []


@pytest.fixture
def ask(filled):
    return Client(filled[0])


@pytest.fixture
def fresh():
    """fresh(**options) -> (GitHub, Client): an organisation with nothing in it but people."""
    made = []

    def start(**options):
        github = GitHub(**({"people": 4, "validate": True, "at": "2026-02-25T06:00:00Z"} | options))
        made.append(github)
        return github, Client(github)

    yield start
    violations = [v for github in made for v in github.violations()]
    for github in made:
        github.stop()
    assert violations == []
