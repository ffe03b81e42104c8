"""A fault proxy for loopback: HTTP/1.1 between Vouch and a simulated cloud.

    proxy.when(service="s3", operation="GetBucketPolicy", resource="logs", then=Deny())
    proxy.when(service="ec2", then=Throttle(times=50))
    proxy.when(where=lambda call: call.method == "PUT", then=Deny())
    proxy.calls                    # Counter of (service, operation)

The first rule that matches a call decides; calls without a rule go through. A rule may end by itself: after `times=` calls of any kind, or
for each different call after it was made `each=` times.
"""
import asyncio
import collections
import dataclasses
import json
import re
import socket
import struct
import threading
import urllib.parse


@dataclasses.dataclass(frozen=True)
class Call:
    service: str
    region: str
    operation: str
    resource: str  # the bucket, or what a parameter such as UserName or KeyId names; "" when there is none
    method: str
    path: str
    protocol: str  # query, json, rest-xml, rest-json, cbor
    query: str = dataclasses.field(default="", compare=False)  # of the URL


# S3 tells operations apart by sub-resource.
S3 = {"encryption": "GetBucketEncryption", "policy": "GetBucketPolicy", "policyStatus": "GetBucketPolicyStatus", "tagging": "GetBucketTagging",
      "versioning": "GetBucketVersioning", "acl": "GetBucketAcl", "logging": "GetBucketLogging", "lifecycle": "GetBucketLifecycleConfiguration",
      "object-lock": "GetObjectLockConfiguration", "publicAccessBlock": "GetPublicAccessBlock", "location": "GetBucketLocation",
      "inventory": "ListBucketInventoryConfigurations"}
NAMES = ("RoleArn", "UserName", "RoleName", "KeyId", "Name", "TrailName", "SnapshotId", "DBSnapshotIdentifier", "InstanceId")


async def read_request(reader):
    """(bytes of the head, method, target, headers in small letters, body)"""
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    method, target, _ = lines[0].split(" ", 2)
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:] if line)}
    return head, method, target, headers, await reader.readexactly(int(headers.get("content-length", 0)))


def read_call(method, target, headers, body):
    credential = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/", headers.get("authorization", ""))
    region, service = credential.groups() if credential else ("", "")
    path, _, query = target.partition("?")
    parameters = dict(urllib.parse.parse_qsl(query, keep_blank_values=True))
    if "x-amz-target" in headers:
        try:
            members = json.loads(body or b"{}")
        except ValueError:
            members = {}
        protocol, operation = "json", headers["x-amz-target"].rsplit(".", 1)[-1]
        resource = next((str(members[name]) for name in NAMES if name in members), "")
    elif "rpc-v2-cbor" in headers.get("smithy-protocol", ""):
        protocol, operation, resource = "cbor", path.rsplit("/", 1)[-1], ""
    elif service == "s3" and "x-amz-account-id" in headers:
        service, protocol, operation, resource = "s3control", "rest-xml", "GetPublicAccessBlock", headers["x-amz-account-id"]
    elif service == "s3":
        protocol, resource = "rest-xml", urllib.parse.unquote(path.strip("/").split("/")[0])
        operation = next((S3[word] for word in parameters if word in S3), "ListBuckets" if not resource else "ListObjects")
    else:
        form = dict(urllib.parse.parse_qsl(body.decode("latin-1"), keep_blank_values=True)) | parameters
        rest = "rest-xml" if service in ("cloudfront", "route53") else "rest-json"
        protocol, operation = ("query", form["Action"]) if "Action" in form else (rest, path)
        resource = next((form[name] for name in NAMES if name in form), "")
    service = {"monitoring": "cloudwatch"}.get(service, service)
    return Call(service, region, operation, resource, method, path, protocol, query)


# ---- What can go wrong ---------------------------------------------------------------------------------------------------


def error_answer(call, status, code, message="refused by the test"):
    if call.protocol in ("json", "rest-json"):
        body, kind, extra = json.dumps({"__type": code, "message": message}).encode(), "application/x-amz-json-1.1", f"x-amzn-errortype: {code}\r\n"
    elif call.protocol == "rest-xml" and call.service.startswith("s3"):
        body, kind, extra = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>test</RequestId></Error>".encode(), "application/xml", ""
    elif call.service == "ec2":
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>test</RequestID></Response>".encode()
        kind, extra = "text/xml", ""
    else:
        body = f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>test</RequestId></ErrorResponse>".encode()
        kind, extra = "text/xml", ""
    return f"HTTP/1.1 {status} X\r\nContent-Type: {kind}\r\n{extra}Content-Length: {len(body)}\r\n\r\n".encode() + body


@dataclasses.dataclass
class Answer:
    """An error in the service's own shape."""

    status: int
    code: str

    async def act(self, call, forward, writer):
        writer.write(error_answer(call, self.status, self.code))


def Deny():
    return Answer(403, "AccessDenied")


class Throttle:
    async def act(self, call, forward, writer):
        status, code = (503, "SlowDown") if call.protocol == "rest-xml" else (400, "ThrottlingException" if call.protocol == "json" else "Throttling")
        writer.write(error_answer(call, status, code, "Rate exceeded"))


class Html500:
    async def act(self, call, forward, writer):
        body = b"<!doctype html><html><body><h1>Internal Server Error</h1></body></html>"
        writer.write(b"HTTP/1.1 500 X\r\nContent-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Garbage:
    async def act(self, call, forward, writer):
        body = bytes(range(256)) * 3
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


class Truncate:
    """The true answer's head and half of its body, then the end of the connection."""

    async def act(self, call, forward, writer):
        head, body = await forward()
        writer.write(head + body[: len(body) // 2])
        raise ConnectionResetError


class Reset:
    """A TCP reset instead of an answer."""

    async def act(self, call, forward, writer):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise ConnectionResetError


class Hang:
    """No byte of an answer until the client gives up."""

    async def act(self, call, forward, writer):
        await asyncio.sleep(3600)


@dataclasses.dataclass
class Slow:
    seconds: float

    async def act(self, call, forward, writer):
        await asyncio.sleep(self.seconds)
        head, body = await forward()
        writer.write(head + body)


@dataclasses.dataclass
class Rule:
    then: object
    service: str | None
    operation: str | None
    resource: str | None
    region: str | None
    times: float
    each: float
    where: object = None  # a function of the call
    hits: int = 0
    seen: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    def matches(self, call):
        return (self.hits < self.times and self.seen[call] < self.each and self.service in (None, call.service) and self.operation in (None, call.operation)
                and self.resource in (None, call.resource) and self.region in (None, call.region)
                and (self.where is None or self.where(call)))


# ---- The proxy ---------------------------------------------------------------------------------------------------------


class Proxy:
    def __init__(self, upstream_port):
        self.upstream_port = upstream_port
        self.rules, self.calls = [], collections.Counter()
        self.loop = asyncio.new_event_loop()
        started = threading.Event()
        self.thread = threading.Thread(target=self._run, args=(started,), daemon=True)
        self.thread.start()
        started.wait()
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()

    def when(self, *, then, service=None, operation=None, resource=None, region=None, times=float("inf"), each=float("inf"), where=None):
        self.rules.append(Rule(then, service, operation, resource, region, times, each, where))
        return self.rules[-1]

    def clear(self):
        self.rules.clear()
        self.calls.clear()

    def answered(self, call, method, target, headers, body, head, answer):
        """What went through, for whoever records it."""

    def _run(self, started):
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20))
        self.port = server.sockets[0].getsockname()[1]
        started.set()
        self.loop.run_forever()
        server.close()
        for task in asyncio.all_tasks(self.loop):
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(self.loop), return_exceptions=True))
        self.loop.close()

    async def _serve(self, reader, writer):
        upstream = None
        try:
            while True:
                head, method, target, headers, body = await read_request(reader)
                call = read_call(method, target, headers, body)
                self.calls[call.service, call.operation] += 1

                async def forward():
                    nonlocal upstream
                    if upstream is None:
                        upstream = await asyncio.open_connection("127.0.0.1", self.upstream_port, limit=1 << 20)
                    upstream[1].write(head + body)
                    return await read_answer(upstream[0], method)

                rule = next((rule for rule in self.rules if rule.matches(call)), None)
                if rule:
                    rule.hits += 1
                    rule.seen[call] += 1
                    await rule.then.act(call, forward, writer)
                else:
                    answer_head, answer_body = await forward()
                    self.answered(call, method, target, headers, body, answer_head, answer_body)
                    writer.write(answer_head + answer_body)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            if upstream:
                upstream[1].close()


async def read_answer(reader, method):
    head = await reader.readuntil(b"\r\n\r\n")
    text = head.decode("latin-1").lower()
    status = int(text.split(" ", 2)[1])
    length = re.search(r"\r\ncontent-length:\s*(\d+)", text)
    if method == "HEAD" or status in (204, 304):
        return head, b""
    if length:
        return head, await reader.readexactly(int(length.group(1)))
    if "transfer-encoding: chunked" in text:
        body = b""
        while True:
            line = await reader.readuntil(b"\r\n")
            chunk = await reader.readexactly(int(line, 16) + 2)
            body += line + chunk
            if int(line, 16) == 0:
                return head, body
    return head, await reader.read()
