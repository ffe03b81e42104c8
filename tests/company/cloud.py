"""A simulated AWS on loopback: moto's server, with three things more that a test needs of a cloud.

    with Cloud() as cloud:            # a process of its own, on a port that the system chose
        company.fill(cloud.endpoint)
        cloud.backdate("access_key", key_id, instant)   # what only time does in a real account
        cloud.requests(reset=True)                      # how many API calls it has answered since
    cloud.answer("backup", "ListBackupJobs", {...}) # what an operation says that moto lacks (lacking.py)

As a program (`python cloud.py`) it serves until its standard input closes, so that it never outlives whoever started it.
"""
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import sys
import threading
import urllib.request

from child import Child
from lacking import Lacking

ACCOUNT = "123456789012"


class Cloud(Child):
    def __init__(self, managed_policies=True):
        """`managed_policies`: AWS's own are there too, a thousand in each account."""
        super().__init__(__file__, env={"MOTO_IAM_LOAD_MANAGED_POLICIES": str(managed_policies).lower(), "TZ": "UTC"}, stderr=subprocess.DEVNULL)
        self.port = int(self.said)
        self.endpoint = f"http://127.0.0.1:{self.port}"

    def _ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/simulation/{path}", data=data), timeout=30) as answer:
            return json.load(answer)

    def reset(self):
        """An empty account again."""
        with urllib.request.urlopen(urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST"), timeout=30):
            pass

    def backdate(self, kind, name, instant):
        """`kind`: access_key (by key id), password or user (by user name)."""
        self._ask("backdate", {"kind": kind, "name": name, "at": instant.astimezone(datetime.timezone.utc).isoformat()})

    def answer(self, service, operation, body, region="eu-central-1"):
        self._ask("say", {"service": service, "operation": operation, "body": body, "region": region})

    @contextlib.contextmanager
    def enforcing(self):
        """Here moto checks signatures and asks the policies of whoever calls."""
        try:
            self._enforce_after("0")
            yield
        finally:
            self._enforce_after("inf")

    def _enforce_after(self, requests):
        asked = urllib.request.Request(f"{self.endpoint}/moto-api/reset-auth", data=requests.encode(), headers={"Content-Type": "text/plain"})
        urllib.request.urlopen(asked, timeout=30).close()

    def requests(self, reset=False):
        return self._ask("requests", {"reset": reset})["requests"]


# ---- The server ------------------------------------------------------------------------------------------------------


class Simulation:
    """Answers /simulation/… and what moto lacks, counts and passes on everything else."""

    def __init__(self, app, lacking):
        self.app, self.lacking, self.count, self.lock = app, lacking, 0, threading.Lock()

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if not path.startswith("/simulation/"):
            with self.lock:
                self.count += not path.startswith("/moto-api/")
            if path == "/moto-api/reset":
                self.lacking.reset()
            said = self.lacking.answer(environ)
            if said is None:
                return self.app(environ, start_response)
            environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
            return self.respond(*said, start_response)
        body = json.loads(environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0)) or b"{}")
        return self.respond("application/json", json.dumps(getattr(self, path.rsplit("/", 1)[1])(**body) or {}).encode(), start_response)

    @staticmethod
    def respond(kind, answer, start_response):
        start_response("200 OK", [("Content-Type", kind), ("Content-Length", str(len(answer)))])
        return [answer]

    def say(self, service, operation, body, region):
        self.lacking.set(service, operation, body, region)

    def requests(self, reset):
        with self.lock:
            counted, self.count = self.count, 0 if reset else self.count
        return {"requests": counted}

    def backdate(self, kind, name, at):
        from moto.backends import get_backend

        iam, when = get_backend("iam")[ACCOUNT]["aws"], datetime.datetime.fromisoformat(at)
        if kind == "access_key":
            for user in iam.users.values():
                for key in user.access_keys:
                    if key.access_key_id == name:
                        key.create_date = when.replace(tzinfo=key.create_date.tzinfo)
                        return
        else:
            user = iam.users[name]
            date = when.replace(tzinfo=user.create_date.tzinfo)
            if kind == "user":
                user.create_date = date
                return
            if kind == "password":
                user.password_last_used = date
                return
        raise KeyError(f"{kind} {name}")


def serve():
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
    from werkzeug.serving import make_server

    class Quiet(MotoRequestHandler):
        def log_request(self, code="-", size="-"):
            pass

    server = make_server("127.0.0.1", 0, Simulation(DomainDispatcherApplication(create_backend_app), Lacking()), threaded=True, request_handler=Quiet)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    sys.path = [p for p in sys.path if pathlib.Path(p or ".").resolve() != pathlib.Path(__file__).resolve().parent]
    serve()
