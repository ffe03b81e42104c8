"""A server that answers what another one once answered, and fails by plan: fast enough for hundreds of collections.

    with Recorder(cloud.port) as recorder:            # between Vouch and a server; `recorder.recording` is what was asked and answered
        ...
    with Replays() as replays:                        # one server for all that follow: replays.endpoint
        replay = replays.open(recording, faults=[Fault("reset", "s3:GetBucketPolicy", group=3)])
        replay.fired; replay.strays                   # what went wrong so far; what was asked that nobody recorded

It knows by the credentials which replay a request is for, and gives them out itself, by ways in which they can be renewed: as GitHub to the App of number
`replay.id`, as AWS at the address that a container asks (`replay.credentials`). A fault of kind "expired" ends the present ones when its call comes.
"""
import asyncio
import base64
import collections
import dataclasses
import datetime
import functools
import json
import re
import socket
import struct
import threading
import urllib.parse

import botocore.loaders
import yaml
from conftest import ROOT
from proxy import Proxy, error_answer, read_answer, read_call, read_request

# ---- Names of calls ------------------------------------------------------------------------------------------------------


@functools.cache
def sources():
    """The catalogue's operations by name: {"github:pulls": {…}}, each as its file says."""
    found = {}
    for file in sorted((ROOT / "catalog" / "sources").glob("*/*.yaml")):
        text = yaml.safe_load(file.read_text())
        for operation in text["operations"]:
            found[f"{text['service']}:{operation['operation']}"] = operation | {"file": str(file), "service": text["service"]}
    return found


def parent_of(name):
    """The operation whose answers this one iterates over, or waits for; None for one that stands alone."""
    operation = sources()[name]
    listed = operation.get("for each", "")
    other = re.match(r"\w+ in ([\w:-]+)", listed)[1] if listed else operation.get("after")
    return None if other is None else other if ":" in other else f"{operation['service']}:{other}"


@functools.cache
def rest_of(scope):
    """[(method, pattern, query words, service:operation)] of the AWS services with that signing name that speak REST."""
    found = []
    for service in {operation["service"] for name, operation in sources().items() if "/aws/" in operation["file"]}:
        model = botocore.loaders.Loader().load_service_model(service, "service-2")
        metadata = model["metadata"]
        if not metadata["protocol"].startswith("rest") or scope not in (metadata.get("signingName"), metadata["endpointPrefix"], service):
            continue
        for operation, shape in model["operations"].items():
            path, _, query = shape["http"]["requestUri"].partition("?")
            pattern = re.sub(r"\\\{\w+(\\\+)?\\\}", lambda found: ".+" if found[1] else "[^/]+", re.escape(path.rstrip("/")))
            found.append((shape["http"]["method"], re.compile(pattern + "/?"), set(urllib.parse.parse_qsl(query, keep_blank_values=True)), f"{service}:{operation}"))
    return sorted(found, key=lambda each: (-len(each[2]), each[1].pattern.count("[^/]") + 10 * each[1].pattern.count(".+"), each[3]))


@functools.cache
def aws_by_operation():
    found = collections.defaultdict(list)
    for name, operation in sources().items():
        if "/aws/" in operation["file"]:
            found[operation["operation"]].append(name)
    return found


def name_of(call, body):
    """`service:operation` as the catalogue has it; "" for what it has not."""
    if not call.service:
        return github_name(call, body)
    if call.protocol in ("query", "json", "cbor"):
        if call.service == "elasticloadbalancing":
            return ("elbv2:" if b"Version=2015-12-01" in body else "elb:") + call.operation
        names = aws_by_operation().get(call.operation, [])
        return next((name for name in names if name.startswith(call.service + ":")), names[0] if names else f"{call.service}:{call.operation}")
    if call.service == "s3":
        return f"s3:{call.operation}"
    said = set(urllib.parse.parse_qsl(call.query, keep_blank_values=True))
    for method, pattern, query, name in rest_of(call.service):
        if method == call.method and pattern.fullmatch(urllib.parse.unquote(call.path)) and query <= said and name in sources():
            return name
    return f"{call.service}:{call.method} {call.path}"


@functools.cache
def github_urls():
    found = []
    for name, operation in sources().items():
        if "/github/" in operation["file"] and "get" in operation:
            path, _, query = operation["get"].partition("?")
            fixed = {pair for pair in urllib.parse.parse_qsl(query) if "{" not in pair[1] and pair[0] not in ("per_page",)}
            found.append((re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), fixed, name))
    return sorted(found, key=lambda each: (each[0].pattern.count("[^/]+"), -len(each[1])))


def github_name(call, body):
    if call.method == "POST":
        asked = re.sub(r"\W+|\d+", "", json.loads(body).get("query", "")) if body.startswith(b"{") else ""
        return next((name for name, one in sources().items() if "graphql" in one and re.sub(r"\W+|\d+", "", one["graphql"]) == asked), "")
    said = set(urllib.parse.parse_qsl(call.query))
    return next((name for pattern, query, name in github_urls() if pattern.fullmatch(call.path) and query <= said), "")


TOKENS = ("NextToken", "nextToken", "Marker", "marker", "NextMarker", "PaginationToken", "StartingToken", "ExclusiveStartTableName", "position", "after", "page", "token",
          "maxResults", "continuation-token", "LastEvaluatedTableName", "PageToken")


@dataclasses.dataclass(frozen=True)
class Key:
    """What makes two requests the same one."""

    method: str
    target: str
    scope: str
    action: str
    body: bytes


def group_of(key, name):
    """The pages of one listing have one group."""
    path, _, query = key.target.partition("?")
    rest = [pair for pair in urllib.parse.parse_qsl(query, keep_blank_values=True) if pair[0] not in TOKENS]
    body = key.body.decode("latin-1")
    if body.startswith("{"):
        said = json.loads(body)
        for place in (said, said.get("variables") if isinstance(said.get("variables"), dict) else {}):
            for token in TOKENS:
                place.pop(token, None)
        body = json.dumps(said, sort_keys=True)
    elif "Action=" in body:
        body = urllib.parse.urlencode([pair for pair in urllib.parse.parse_qsl(body, keep_blank_values=True) if pair[0] not in TOKENS])
    return name, key.scope, path, tuple(rest), body


@dataclasses.dataclass
class Recorded:
    name: str
    call: object
    head: bytes
    body: bytes
    group: int = 0  # of the listings of its operation
    page: int = 0
    pages: int = 1


def next_link(head):
    """The target to which a Link header leads on."""
    found = re.search(rb'(?i)\r\nlink:[^\r]*<https?://[^/>]+([^>]*)>;\s*rel="next"', head)
    return found[1].decode() if found else None


class Recording:
    """By Key; `groups[name]` are the listings of an operation, each its pages in order. Links lead to `port`."""

    def __init__(self, port):
        self.port, self.answers, self.groups = port, {}, collections.defaultdict(list)

    def add(self, key, call, head, body):
        if key in self.answers:  # asked until it is ready: the last answer stands
            self.answers[key].head, self.answers[key].body = head, body
        else:
            self.answers[key] = Recorded(name_of(call, key.body), call, head, body)

    def close(self, port):
        """Nothing more is recorded; links lead to `port` from now on."""
        following = {}
        for key, one in self.answers.items():
            if target := next_link(one.head):
                following[id(one)] = self.answers.get(dataclasses.replace(key, target=target))
        later = {id(one) for one in following.values()}
        places = {}
        for key, one in self.answers.items():
            if id(one) in later:
                continue
            pages = places.setdefault(group_of(key, one.name), [])
            while one:
                pages.append(one)
                one, name = following.get(id(one)), one.name
                if one:
                    one.name = name
        old, new = b"127.0.0.1:%d" % self.port, b"127.0.0.1:%d" % port
        for one in self.answers.values():
            if old in one.head + one.body:
                one.body = one.body.replace(old, new)
                one.head = with_body(one.head.replace(old, new), one.body)[: -len(one.body) or None]
        self.answers = {dataclasses.replace(key, body=key.body.replace(old, new)): one for key, one in self.answers.items()}
        for (name, *_), pages in places.items():
            self.groups[name].append(pages)
            for number, one in enumerate(pages):
                one.group, one.page, one.pages = len(self.groups[name]) - 1, number, len(pages)


def key_of(call, method, target, headers, body):
    return Key(method, target, f"{call.service}/{call.region}", headers.get("x-amz-target", ""), body)


class Recorder(Proxy):
    def __init__(self, upstream_port):
        super().__init__(upstream_port)
        self.recording = Recording(self.port)

    def answered(self, call, method, target, headers, body, head, answer):
        if "/app/installations" not in target and not target.endswith("/installation"):
            self.recording.add(key_of(call, method, target, headers, body), call, head, answer)


# ---- What goes wrong -------------------------------------------------------------------------------------------------------

# What is tried again, and then it is there.
PASSING = ("500 once", "reset once", "cut once", "429 for a moment", "dripping", "expired", "429 once, silent", "hanging once")
LASTING = ("403", "404", "404 without a word", "429 for good", "500", "reset", "cut", "shortened", "web page", "expired for good", "429 for good, silent", "hanging")
OF_PAGES = ("the page before again", "exchanged with its neighbour", "items of the page before", "items in another order")
WAITING = ("429 once, silent", "429 for good", "429 for good, silent", "hanging once", "hanging")  # costs a client minutes
ENDING = ("expired", "expired for good")  # concerns all calls behind it
KINDS = PASSING + LASTING + OF_PAGES


@dataclasses.dataclass(frozen=True)
class Fault:
    kind: str
    name: str  # of the operation
    group: int | None = None  # one listing, or one element of a `for each`; None: all
    page: int | None = None  # of it; None: all

    def meets(self, one):
        return self.name == one.name and self.group in (None, one.group) and self.page in (None, one.page)


def with_body(head, body):
    head = re.sub(rb"(?i)\r\n(content-length|transfer-encoding|content-encoding):[^\r]*", b"", head)
    return head.replace(b"\r\n\r\n", b"\r\nContent-Length: %d\r\n\r\n" % len(body), 1) + body


def refusal(call, status, words=""):
    """In the words of whoever is asked."""
    if call.service:
        code = {403: "AccessDenied", 429: "ThrottlingException", 401: "ExpiredToken" if call.protocol != "json" else "ExpiredTokenException"}[status]
        if status == 429:
            head, _, body = error_answer(call, 429, "Throttling" if call.protocol == "query" else code, "Rate exceeded").partition(b"\r\n\r\n")
            return head + words.encode() + b"\r\n\r\n" + body
        return error_answer(call, 403 if status == 401 else status, code)
    message = {403: "Resource not accessible by integration", 404: "Not Found", 401: "Bad credentials", 429: "You have exceeded a secondary rate limit."}[status]
    body = json.dumps({"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}).encode()
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json; charset=utf-8{words}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


PAGE = b"<!doctype html><html><head><title>Sign in</title></head><body><h1>Welcome to the guest network</h1></body></html>"


def page_answer(status):
    return b"HTTP/1.1 %d X\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % (status, len(PAGE)) + PAGE


def paging_members(document):
    """Where a JSON answer says how it goes on: (object, member)."""
    if isinstance(document, dict):
        for name, value in document.items():
            if name in TOKENS or name == "pageInfo":
                yield document, name
            elif name in ("data", "organization", "repository", "repositories", "pullRequests"):
                yield from paging_members(value)


def items_of(one, other):
    """`one`'s answer with the items of `other`, which goes on as `one` does; None where that can't be made."""
    if b"\r\nlink:" in one.head.lower() or b"\r\nlink:" in other.head.lower():
        return with_body(one.head, other.body)
    try:
        mine, theirs = json.loads(one.body), json.loads(other.body)
    except ValueError:
        return None
    places = list(paging_members(theirs))
    for place, name in places:
        del place[name]
    for (place, _), (own, name) in zip(places or [(theirs, None)], paging_members(mine)):
        place[name] = own[name]
    return with_body(one.head, json.dumps(theirs).encode()) if places or list(paging_members(mine)) else None


class Replay:
    def __init__(self, id, recording, faults):
        self.id, self.recording, self.faults = id, recording, faults
        self.hits = collections.Counter()
        self.fired, self.strays, self.requests = set(), [], 0
        self.generation, self.current, self.barred, self.ended = 0, None, False, set()

    def neighbour(self, one, by):
        pages = self.recording.groups[one.name][one.group]
        return pages[one.page + by] if 0 <= one.page + by < len(pages) else None

    # ---- Signing in ----

    def sign_in(self, github):
        """New credentials; None when nobody may sign in any more."""
        self.generation += 1
        self.current = f"{self.id:05}R{self.generation:04}"
        until = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.barred:
            return None
        return ({"token": f"ghs_{self.current}", "expires_at": until} if github else
                {"AccessKeyId": f"ASIA{self.current}", "SecretAccessKey": "replayed", "Token": "replayed", "Expiration": until})

    def is_signed_in(self, headers):
        who = re.search(r"\d{5}R\d{4}", headers["authorization"])[0]
        return who not in self.ended and who <= (self.current or "")

    # ---- Answering ----

    async def answer(self, method, target, headers, body, writer):
        self.requests += 1
        call = read_call(method, target, headers, body)
        one = self.recording.answers.get(key_of(call, method, target, headers, body))
        if one is None:
            self.strays.append((method, target, body[:200]))
            return writer.write(b"HTTP/1.1 501 X\r\nContent-Length: 0\r\n\r\n")
        if not self.is_signed_in(headers):
            return writer.write(refusal(call, 401))
        fault = next((fault for fault in self.faults if fault.meets(one)), None)
        if fault:
            self.fired.add(fault)
            if await self.fail(fault, one, writer):
                return
        etag = re.search(rb"(?i)\r\netag:\s*([^\r]+)", one.head)
        if etag and headers.get("if-none-match", "").encode() == etag[1]:
            return writer.write(re.sub(rb"(?i)\r\n(content-length|transfer-encoding|content-type):[^\r]*", b"", one.head).replace(b" 200 ", b" 304 ", 1))
        writer.write(one.head + one.body)

    async def fail(self, fault, one, writer):
        """True when the fault has answered; False when the call goes through."""
        self.hits[fault, one.group, one.page] += 1
        first = self.hits[fault, one.group, one.page] == 1
        kind, call = fault.kind, one.call
        if kind.endswith(("once", "for a moment")) or kind in ("429 once, silent", "expired", "expired for good"):
            if self.hits[fault, one.group, one.page] > (2 if kind == "429 for a moment" else 1):
                return False
        if kind.startswith("expired"):
            if sum(count for (each, *_), count in self.hits.items() if each == fault) > 1:
                return False
            self.ended.add(self.current)
            self.barred = kind == "expired for good"
            writer.write(refusal(call, 401))
        elif kind == "403":
            writer.write(refusal(call, 403))
        elif kind == "404":
            writer.write(page_answer(404) if call.service else refusal(call, 404))
        elif kind == "404 without a word":
            writer.write(b"HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        elif kind.startswith("429"):
            writer.write(refusal(call, 429, "" if "silent" in kind else "\r\nRetry-After: 1"))
        elif kind.startswith("500"):
            writer.write(page_answer(500))
        elif kind.startswith("reset"):
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise ConnectionResetError
        elif kind.startswith("cut"):
            writer.write((one.head + one.body)[: len(one.head) + len(one.body) // 2])
            await writer.drain()
            raise ConnectionResetError
        elif kind == "shortened":
            writer.write(with_body(one.head, one.body[: len(one.body) * 2 // 3]))
        elif kind == "web page":
            writer.write(page_answer(200))
        elif kind == "dripping":
            whole = one.head + one.body
            step = max(1, len(whole) // 6)
            for at in range(0, len(whole), step):
                writer.write(whole[at:at + step])
                await writer.drain()
                await asyncio.sleep(0.05)
        elif kind.startswith("hanging"):
            writer.write((one.head + one.body)[: len(one.head) + len(one.body) // 2])
            await writer.drain()
            await asyncio.sleep(3600)
        else:
            return self.fail_page(kind, one, writer, first)
        return True

    def fail_page(self, kind, one, writer, first):
        before, after = self.neighbour(one, -1), self.neighbour(one, 1)
        if kind == "the page before again" and before:
            writer.write(before.head + before.body)
        elif kind == "exchanged with its neighbour" and (other := after or before):
            writer.write(other.head + other.body)
        elif kind == "items of the page before" and before and (made := items_of(one, before)):
            writer.write(made)
        elif kind == "items in another order" and one.pages > 1:
            # The pages come in the opposite order, each leading on as the one in whose place it stands.
            made = items_of(one, self.recording.groups[one.name][one.group][-1 - one.page])
            if not made:
                return False
            writer.write(made)
        else:
            return False
        return True


def plain(status, document):
    body = json.dumps(document).encode()
    return b"HTTP/1.1 %d X\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (status, len(body)) + body


class Replays:
    """One server, on a thread of its own."""

    def __init__(self, port=0):
        self.replays, self.port = {}, port
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self.run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self.serve, "127.0.0.1", self.port, limit=1 << 20, backlog=512))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()
        server.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def open(self, recording, faults=()):
        replay = Replay(len(self.replays) + 1, recording, list(faults))
        replay.credentials = f"{self.endpoint}/credentials/{replay.id}"
        self.replays[replay.id] = replay
        return replay

    def sign_in(self, method, target, headers):
        """The answer to a call that signs in; None for all else."""
        if target.startswith("/credentials/"):
            made = self.replays[int(target.rsplit("/", 1)[1])].sign_in(github=False)
        elif target.endswith("/installation"):
            return plain(200, {"id": 5550001})
        elif target.startswith("/app/installations/"):
            said = headers["authorization"].split(" ")[1].split(".")[1]
            made = self.replays[int(json.loads(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)))["iss"])].sign_in(github=True)
        else:
            return None
        return plain(201 if method == "POST" else 200, made) if made else plain(401, {"message": "Bad credentials"})

    async def serve(self, reader, writer):
        try:
            while True:
                _, method, target, headers, body = await read_request(reader)
                made = self.sign_in(method, target, headers)
                who = re.search(r"(\d{5})R\d{4}", headers.get("authorization", ""))
                if made or not who:
                    writer.write(made or plain(401, {"message": "Bad credentials"}))
                else:
                    await self.replays[int(who[1])].answer(method, target, headers, body, writer)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
