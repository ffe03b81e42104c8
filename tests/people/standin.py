"""Stands in for the services that know people, devices, tickets and incidents: one program, one port, a folder of URLs for each.

    with Services() as services:
        services.endpoint("okta")            # http://127.0.0.1:PORT/okta, in place of https://acme.okta.com
        services.token("okta")               # the only token that is let in
        services.refuse("okta", "/roles")    # from now on 403 for every path with this in it; "" ends that
        services.limit("okta", 5)            # so many more requests, then 429 until the next full second but one
        services.requests(reset=True)        # {"okta /api/v1/users": 3}
        services.change("okta", "deactivate", "eng-03")
        services.reset()                     # all as it was at the start

Answers have the members that the providers publish (test_people_shapes.py looks), pages are small, so that there are several, and what is secret in them is
one of SECRETS: no test wants to find it anywhere. As a program it prints one line of JSON and serves until its standard input closes.
"""
import http.server
import json
import pathlib
import sys
import threading
import time
import urllib.parse
import urllib.request

TESTS = pathlib.Path(__file__).resolve().parents[1]
if __name__ == "__main__":  # started by path: this folder is a package of the tests
    sys.path = [str(TESTS)] + [p for p in sys.path if pathlib.Path(p or ".").resolve() != TESTS / "people"]
sys.path.append(str(TESTS / "company"))
from child import Child  # noqa: E402
from people import fleet, google, jira, microsoft, okta, pagerduty  # noqa: E402

PROVIDERS = {"okta": okta, "google": google, "fleet": fleet, "microsoft": microsoft, "jira": jira, "pagerduty": pagerduty}
SECRETS = sorted({secret for provider in PROVIDERS.values() for secret in provider.SECRETS})


class Services(Child):
    def __init__(self):
        super().__init__(__file__, env={"TZ": "UTC"})
        self.port = json.loads(self.said)["port"]

    def endpoint(self, provider):
        return f"http://127.0.0.1:{self.port}/{provider}"

    @staticmethod
    def token(provider):
        return PROVIDERS[provider].TOKEN

    def service_account(self, path):
        """Writes the key file of Google's service account, for its owner only."""
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.change("google", "service_account", self.endpoint("google"))))
        return path

    def _tell(self, control, **said):
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/control/{control}", data=json.dumps(said).encode())
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def reset(self):
        self._tell("reset")

    def refuse(self, provider, part):
        self._tell("refuse", provider=provider, part=part)

    def limit(self, provider, requests):
        self._tell("limit", provider=provider, requests=requests)

    def requests(self, reset=False):
        return self._tell("requests", reset=reset)

    def change(self, provider, what, *words):
        return self._tell("change", provider=provider, what=what, words=words)


class State:
    def __init__(self):
        self.worlds = {name: provider.World() for name, provider in PROVIDERS.items()}
        self.refused, self.left, self.reset_at, self.asked = {}, {}, {}, {}

    def control(self, what, said):
        if what == "reset":
            self.__init__()
        elif what == "refuse":
            self.refused[said["provider"]] = said["part"]
        elif what == "limit":
            self.left[said["provider"]] = said["requests"]
        elif what == "requests":
            asked = dict(self.asked)
            if said["reset"]:
                self.asked.clear()
            return asked
        elif what == "change":
            return getattr(self.worlds[said["provider"]], said["what"])(*said["words"]) or {}
        return {}

    def allows(self, provider):
        """(whether this request is within the limit, headers that say so)"""
        module = PROVIDERS[provider]
        left = self.left.get(provider)
        if left is None:
            return True, {}
        now = time.time()
        if left == 0 and now >= self.reset_at.get(provider, now + 1):
            self.left.pop(provider), self.reset_at.pop(provider)
            return True, {}
        if left == 0:
            reset = self.reset_at.setdefault(provider, int(now) + 2)
            return False, module.limit_headers(0, reset)
        self.left[provider] = left - 1
        return True, module.limit_headers(left - 1, int(now) + 2) if left > 1 else {}


def handler(state):
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, status, body, headers=()):
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def serve(self):
            url = urllib.parse.urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            provider, _, path = url.path[1:].partition("/")
            path = "/" + path
            with lock:
                if provider == "control":
                    return self.answer(200, state.control(path[1:], json.loads(body)))
                module = PROVIDERS[provider]
                place = f"{provider} {path}"
                state.asked[place] = state.asked.get(place, 0) + 1
                allowed, headers = state.allows(provider)
                if not allowed:
                    return self.answer(429, module.error(429), headers.items())
                if not module.lets_in(self.headers, path):
                    return self.answer(401, module.error(401))
                if state.refused.get(provider) and state.refused[provider] in path:
                    return self.answer(403, module.error(403))
                here = f"http://{self.headers['Host']}/{provider}"
                query = dict(urllib.parse.parse_qsl(url.query))
                state.worlds[provider].headers = self.headers
                status, told, more = state.worlds[provider].answer(here, path, query, body)
                return self.answer(status, told, [*headers.items(), *more])

        do_GET = do_POST = serve

    return Handler


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler(State()))
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(json.dumps({"port": server.server_address[1]}), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
