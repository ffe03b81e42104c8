"""HTTP/1.1 by hand on asyncio: one thread, keep-alive, pipelining. And the control port, for what only a test may ask."""
import asyncio
import email.utils
import http.client
import json
import time

from .state import seconds

MAXIMUM = 64 << 20


class Connection(asyncio.Protocol):
    """Reads requests, writes answers in order. `handle(method, target, headers, body)` gives (status, headers, body)."""

    def __init__(self, handle):
        self.handle, self.buffer, self.transport = handle, bytearray(), None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            lines = self.buffer[:end].decode("latin-1").split("\r\n")
            headers = {}
            for line in lines[1:]:
                name, _, value = line.partition(":")
                headers[name.strip().lower()] = value.strip()
            start = end + 4
            if headers.get("transfer-encoding", "").lower() == "chunked":
                body, start = self.chunked(start)
                if body is None:
                    return
            else:
                length = int(headers.get("content-length") or 0)
                if length > MAXIMUM:
                    self.transport.close()
                    return
                if headers.get("expect", "").lower() == "100-continue" and len(self.buffer) < start + length:
                    self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                if len(self.buffer) < start + length:
                    return
                body, start = bytes(self.buffer[start:start + length]), start + length
            del self.buffer[:start]
            self.answer(lines[0], headers, body)

    def chunked(self, at):
        """(body, end), or (None, 0) while it is not whole."""
        body = bytearray()
        while (line := self.buffer.find(b"\r\n", at)) >= 0:
            size = int(self.buffer[at:line].split(b";")[0], 16)
            if len(self.buffer) < line + 2 + size + 2:
                break
            body += self.buffer[line + 2:line + 2 + size]
            at = line + 2 + size + 2
            if size == 0:
                return bytes(body), at
        return None, 0

    def answer(self, line, headers, body):
        method, target, version = line.split(" ", 2)
        status, out, raw = self.handle(method, target, headers, body)
        keep = headers.get("connection", "").lower() != "close" and version == "HTTP/1.1"
        head = [f"HTTP/1.1 {status} {http.client.responses.get(status, '')}", f"Date: {date()}"]
        head += [f"{name}: {value}" for name, value in out]
        if status not in (204, 304):
            head.append(f"Content-Length: {len(raw)}")
        if not keep:
            head.append("Connection: close")
        self.transport.write("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + (b"" if method == "HEAD" else raw))
        if not keep:
            self.transport.close()


_date = (0, "")


def date():
    global _date
    now = int(time.time())
    if _date[0] != now:
        _date = (now, email.utils.formatdate(now, usegmt=True))
    return _date[1]


class Control:
    """POST /clock {at, stopped}, /requests {reset}, /violations {}, /limits {limit, points_a_minute, silent}, /person {login, two_factor, two_factor_insecure}."""

    def __init__(self, site):
        self.site = site

    def __call__(self, method, target, headers, body):
        try:
            made = getattr(self, "do_" + target.strip("/"))(**json.loads(body or b"{}"))
            status = 200
        except (AttributeError, TypeError, ValueError, KeyError) as error:
            status, made = 400, {"error": repr(error)}
        return status, [("Content-Type", "application/json")], json.dumps(made).encode()

    def do_clock(self, at=None, stopped=True):
        clock = self.site.world.clock
        if at is not None:
            clock.set(seconds(at), stopped)
        elif not stopped:
            clock.set(clock.now(), False)
        self.site.world.version += 1
        return {"now": clock.now()}

    def do_requests(self, reset=False):
        counts = self.site.counts
        if reset:
            self.site.counts = {}
        return counts

    def do_violations(self):
        return {"violations": self.site.violations + self.site.graph.violations}

    def do_limits(self, **chosen):
        for name, value in chosen.items():
            if name not in ("limit", "points_a_minute", "silent"):
                raise KeyError(name)
            setattr(self.site.limits, name, value)
        self.site.limits.windows.clear()
        self.site.limits.minutes.clear()
        return {}

    def do_person(self, login, **chosen):
        """What people do in their own settings on github.com."""
        user = self.site.world.users[login.lower()]
        for name, value in chosen.items():
            if name not in ("two_factor", "two_factor_insecure"):
                raise KeyError(name)
            setattr(user, name, value)
        self.site.world.version += 1
        return {}


async def serve(site, ready, port=0):
    """Serves until cancelled. `ready(port, control port)` is called once both listen."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(site.handle), "127.0.0.1", port, backlog=512)
    control = await loop.create_server(lambda: Connection(Control(site)), "127.0.0.1", 0)
    ready(server.sockets[0].getsockname()[1], control.sockets[0].getsockname()[1])
    await asyncio.gather(server.serve_forever(), control.serve_forever())
