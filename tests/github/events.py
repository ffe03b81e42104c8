"""What every change leaves behind: an entry in the organisation's audit log, and a webhook delivery to each App that listens.

Audit log: rest/orgs/orgs#get-the-audit-log-for-an-organization, organizations/keeping-your-organization-secure/…/audit-log-events-for-your-organization.
Deliveries: rest/apps/webhooks; they are kept for three days (webhooks/testing-and-troubleshooting-webhooks/viewing-webhook-deliveries).
"""
import hashlib
import hmac
import json
import queue
import threading
import urllib.error
import urllib.request
import uuid
import zlib

from . import render
from .state import sha1

KEPT_SECONDS = 3 * 86400


def audit(world, org, action, actor, repository=None, at=None, **more):
    at = world.now() if at is None else at
    entry = {"@timestamp": at * 1000, "action": action, "actor": actor.login, "actor_id": actor.id, "org": org.login, "org_id": org.id,
             "created_at": at * 1000, "_document_id": sha1(org.id, action, at, world.next_id("audit"))[:22], **more}
    if repository is not None:
        entry |= {"repo": repository.full_name, "repository_public": not repository.private}
    org.audit.append(entry)


def emit(world, event, action, org, actor, repository=None, **payload):
    """Delivers to every App whose installation listens to `event`."""
    for installation in world.installations.values():
        app = installation.app
        if installation.org is not org or event not in app.events or repository is not None and installation.selection == "selected" \
                and repository.id not in installation.repositories:
            continue
        body = {"action": action, **payload, "organization": render.organisation_simple(org), "sender": render.account(actor),
                "installation": {"id": installation.id, "node_id": f"MDIzOkludGVncmF0aW9uSW5zdGFsbGF0aW9u{installation.id}"}}
        if repository is not None:
            body["repository"] = render.repository(world, repository) | {"custom_properties": {}}
        if action is None:
            del body["action"]
        if world.judge:
            world.judge(event, action, body)
        deliver(world, installation, event, action, repository, json.dumps(body).encode())


def deliver(world, installation, event, action, repository, body, guid=None):
    now = world.now()
    while world.deliveries and world.deliveries[0]["at"] < now - KEPT_SECONDS:
        world.deliveries.pop(0)
    number = world.next_id("delivery")
    made = {"id": number, "app": installation.app, "guid": guid or str(uuid.UUID(sha1("delivery", number)[:32])), "at": now, "redelivery": guid is not None,
            "event": event, "action": action, "installation": installation.id, "repository": repository.id if repository else None,
            "body": zlib.compress(body), "status_code": 200, "status": "OK"}
    world.deliveries.append(made)
    hook = installation.app.hook
    if hook["url"]:
        sender().put((hook["url"], hook.get("secret", ""), made))
    return made


# Deliveries go out on a thread of their own, in order, when the App has an address.
_outgoing = None


def sender():
    global _outgoing
    if _outgoing is None:
        _outgoing = queue.Queue()
        threading.Thread(target=send, args=(_outgoing,), daemon=True).start()
    return _outgoing


def request_headers(delivery, secret, body):
    """webhooks/webhook-events-and-payloads#delivery-headers, webhooks/using-webhooks/validating-webhook-deliveries"""
    headers = {"Accept": "*/*", "Content-Type": "application/json", "User-Agent": "GitHub-Hookshot/standin", "X-GitHub-Delivery": delivery["guid"],
               "X-GitHub-Event": delivery["event"], "X-GitHub-Hook-Installation-Target-ID": str(delivery["app"].id),
               "X-GitHub-Hook-Installation-Target-Type": "integration"}
    if secret:
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return headers


def send(outgoing):
    while True:
        url, secret, delivery = outgoing.get()
        body = zlib.decompress(delivery["body"])
        try:
            with urllib.request.urlopen(urllib.request.Request(url, data=body, headers=request_headers(delivery, secret, body)), timeout=10) as answer:
                delivery["status_code"], delivery["status"] = answer.status, "OK"
        except urllib.error.HTTPError as error:
            delivery["status_code"], delivery["status"] = error.code, error.reason or "failed"
        except OSError:
            delivery["status_code"], delivery["status"] = 502, "failed to connect to host"
