"""A VPN gateway with an API of its own, for the tutorial: vpn.py [PORT]. On loopback, until it is stopped."""
import http.server
import json
import sys
import urllib.parse

TOKEN = "example-of-a-token"
PEERS = [
    {"id": "p1", "owner": "eng-01", "created": "2026-01-12T09:00:00Z", "enabled": True},
    {"id": "p2", "owner": "eng-02", "created": "2026-02-03T14:30:00Z", "enabled": True},
    {"id": "p3", "owner": "eng-03", "created": "2025-06-20T08:15:00Z", "enabled": True},
    {"id": "p4", "owner": None, "created": "2024-11-05T16:45:00Z", "enabled": False},
]
ROUTES = {"p1": ["10.20.0.0/16"], "p2": ["10.20.0.0/16", "0.0.0.0/0"], "p4": ["0.0.0.0/0"]}  # p3's may not be read
SIZE = 3


class Gateway(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        words = url.path.strip("/").split("/")
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            self.answer(401, {"error": "no such token"})
        elif words == ["api", "gateway"]:
            self.answer(200, {"name": "acme-vpn", "asked_by": "auditor"})
        elif words == ["api", "peers"]:
            after = urllib.parse.parse_qs(url.query).get("after", ["p0"])[0]
            found = [peer for peer in PEERS if peer["id"] > after]
            self.answer(200, {"peers": found[:SIZE], "next": found[SIZE - 1]["id"] if len(found) > SIZE else None})
        elif words[:2] == ["api", "peers"] and words[3:] == ["routes"] and words[2] in ROUTES:
            self.answer(200, {"routes": ROUTES[words[2]]})
        else:
            self.answer(403, {"error": "not for auditors"})

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words):
        pass


if __name__ == "__main__":
    http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8480), Gateway).serve_forever()
