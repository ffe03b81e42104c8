#!/usr/bin/env python3
"""Compares the wire module with botocore, operation by operation.

    differential.py WIRE_TOOL BOTOCORE_DATA [--count N] [--seed N] [--only serialise|parse|error|sign|endpoint|page]

Params and answers are made up from the shapes of each model, from a fixed seed. botocore (of the Python that runs this) serialises,
parses, signs, resolves and pages them; so do we, through wire_tool; the two must agree. Exit code 1 and the first differences otherwise.
"""
import argparse
import base64
import collections
import datetime
import gzip
import json
import pathlib
import random
import re
import subprocess
import sys
import urllib.parse
import xml.etree.ElementTree as ElementTree
from xml.sax.saxutils import escape

import botocore.auth
import botocore.awsrequest
import botocore.compat
import botocore.credentials
import botocore.endpoint_provider
import botocore.hooks
import botocore.loaders
import botocore.model
import botocore.paginate
import botocore.parsers
import botocore.serialize
import botocore.utils

PREFERENCE = ["json", "query", "ec2", "rest-json", "rest-xml", "smithy-rpc-v2-cbor"]
# Always compared in whole; the other services take part by chance.
MAIN = ["s3", "s3control", "iam", "sts", "ec2", "rds", "kms", "logs", "cloudwatch", "cloudtrail", "lambda", "route53", "cloudfront", "sqs", "sns",
        "ssm", "config", "organizations", "guardduty", "eks", "backup", "dynamodb", "cloudformation", "elbv2", "securityhub", "apigateway",
        "sso", "sso-oidc", "account", "ecr", "secretsmanager", "inspector2", "accessanalyzer", "identitystore", "sso-admin", "cloudwatchomni"]
# A body that no model describes, and one that gives two members one name.
NO_MODEL = [("s3", "GetBucketLocation"), ("s3", "GetBucketNotification")]
TEXTS = ["plain", "with space", "ü€𝄞", "a/b:c=d&e+f%20", "<tag> & \"quote\"", "x", "arn:aws:iam::123456789012:user/eng", "tab\tin", "~._-"]


class Tool:
    def __init__(self, path, data):
        self.process = subprocess.Popen([path, data], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())


class Made:
    """Values of a shape, made up."""

    def __init__(self, rng, for_answer):
        self.rng = rng
        self.for_answer = for_answer

    def value(self, shape, depth=0, ascii_only=False):
        return getattr(self, f"make_{shape.type_name}", self.make_string)(shape, depth, ascii_only)

    def make_string(self, shape, depth, ascii_only):
        if getattr(shape, "serialization", {}).get("jsonvalue"):
            return {"a": "b"}
        text = self.rng.choice(TEXTS)
        return re.sub(r"[^a-zA-Z0-9.-]", "", text) or "x" if ascii_only else text

    make_character = make_string

    def make_integer(self, shape, depth, ascii_only):
        return self.rng.choice([0, 1, -7, 23, 24, 255, 256, 65536, 2**31 - 1])

    def make_long(self, shape, depth, ascii_only):
        return self.rng.choice([0, 1, -300, 2**32, 2**53 + 1, 2**62, -(2**62)])

    def make_float(self, shape, depth, ascii_only):
        return self.rng.choice([0.25, -1.5, 3.0, 1024.0])

    make_double = make_float

    def make_boolean(self, shape, depth, ascii_only):
        return self.rng.random() < 0.5

    def make_blob(self, shape, depth, ascii_only):
        return self.rng.choice([b"bytes", b"\x00\xff\x10", "ü".encode()]) if not self.is_text_payload else b"text"

    is_text_payload = False

    def make_timestamp(self, shape, depth, ascii_only):
        whole = datetime.datetime(2026, 3, self.rng.randint(1, 28), 9, 5, 7, tzinfo=datetime.timezone.utc)
        return whole.replace(microsecond=250000) if self.rng.random() < 0.3 and not ascii_only else whole

    def make_list(self, shape, depth, ascii_only):
        count = 0 if depth > 5 else self.rng.choice([0, 1, 1, 2, 3])
        return [self.value(shape.member, depth + 1, ascii_only) for _ in range(count)]

    def make_map(self, shape, depth, ascii_only):
        count = 0 if depth > 5 else self.rng.choice([0, 1, 2])
        return {f"key{i}": self.value(shape.value, depth + 1, ascii_only) for i in range(count)}

    def make_structure(self, shape, depth, ascii_only):
        if shape.is_document_type:
            return {"any": [1, "two", {"three": None}]}
        out = {}
        names = list(shape.members)
        if shape.is_tagged_union:
            names = [self.rng.choice(names)] if names else []
        for name in names:
            member = shape.members[name]
            traits = member.serialization
            if traits.get("eventstream"):
                continue
            required = name in shape.required_members and not self.for_answer
            located = traits.get("location")
            must = required or located == "uri" or traits.get("hostLabel") or getattr(member, "metadata", {}).get("idempotencyToken") \
                or shape.is_tagged_union
            if depth > 4 and not must:
                continue
            if not must and self.rng.random() < 0.4:
                continue
            plain = bool(located in ("header", "headers", "statusCode") or traits.get("hostLabel"))
            value = self.value(member, depth + 1, plain)
            if traits.get("hostLabel") or traits.get("idempotencyToken"):
                value = "label-1"
            if located == "statusCode":
                value = 200
            out[name] = value
        return out


def to_json(value):
    """Params as wire takes them."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, dict):
        return {key: to_json(item) for key, item in value.items()}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    return value


def rfc3339(at):
    at = at.astimezone(datetime.timezone.utc)
    text = at.strftime("%Y-%m-%dT%H:%M:%S")
    if at.microsecond:
        text += f".{at.microsecond:06}".rstrip("0")
    return text + "Z"


def to_parsed(value, shape=None):
    """botocore's parsed value as wire gives it."""
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, datetime.datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        out = {}
        for key, item in value.items():
            if item is None and not (shape is not None and getattr(shape, "is_document_type", False)):
                continue
            inner = None
            if shape is not None and shape.type_name == "structure" and not shape.is_document_type:
                inner = shape.members.get(key)
            elif shape is not None and shape.type_name == "map":
                inner = shape.value
            out[key] = to_parsed(item, inner if inner is not None else shape)
        return out
    if isinstance(value, list):
        return [to_parsed(item, shape.member if shape is not None and shape.type_name == "list" else shape) for item in value]
    return value


class Models:
    def __init__(self, data):
        self.data = pathlib.Path(data)
        self.loader = botocore.loaders.Loader(extra_search_paths=[str(data)])

    def services(self):
        return sorted(entry.name for entry in self.data.iterdir() if entry.is_dir())

    def service(self, name):
        return botocore.model.ServiceModel(self.loader.load_service_model(name, "service-2"), name)

    @staticmethod
    def protocol(service):
        spoken = service.metadata.get("protocols", [service.metadata["protocol"]])
        return next(name for name in PREFERENCE if name in spoken)


def has_event_stream(shape):
    return shape is not None and any(member.serialization.get("eventstream") for member in shape.members.values())


# ---- requests ----

def element(node):
    return (node.tag, sorted(node.attrib.items()), (node.text or ""), [element(child) for child in node])


def comparable_body(protocol, headers, body):
    kind = headers.get("content-type", "")
    if protocol in ("query", "ec2"):
        return sorted(urllib.parse.parse_qsl(body.decode(), keep_blank_values=True))
    if protocol in ("json", "rest-json") and "json" in kind and body:
        return json.loads(body)
    if protocol == "rest-xml" and body.startswith(b"<"):
        return element(ElementTree.fromstring(body))
    return body


def botocore_request(service, operation, protocol, params):
    serializer = botocore.serialize.create_serializer(protocol, include_validation=False)
    request = serializer.serialize_to_request(params, operation)
    body = request["body"]
    if isinstance(body, dict):
        body = urllib.parse.urlencode(body, doseq=True)
    if isinstance(body, str):
        body = body.encode()
    path, _, fixed = request["url_path"].partition("?")
    query = botocore.utils.percent_encode_sequence(request["query_string"]) if request["query_string"] else ""
    headers = {name.lower(): value for name, value in request["headers"].items()}
    return {"method": request["method"], "path": path, "query": "&".join(filter(None, [fixed, query])), "headers": headers,
            "host_prefix": request.get("host_prefix") or "", "body": comparable_body(protocol, headers, body)}


# What botocore's handlers do to requests after serialising, which wire does while serialising.
def as_handlers_would(service, operation, request, params):
    if service.service_name == "s3" and operation.name.startswith("List") and "EncodingType" in operation.input_shape.members:
        params.setdefault("EncodingType", "url")
    if service.service_name == "route53":
        for name, member in operation.input_shape.members.items():
            if member.name in ("ResourceId", "DelegationSetId", "ChangeId") and name in params:
                params[name] = params[name].split("/")[-1]


def compare_request(tool, service, operation, rng):
    protocol = Models.protocol(service)
    if operation.input_shape is None or has_event_stream(operation.input_shape):
        params = {}
        if operation.input_shape is not None:
            return None
    else:
        params = Made(rng, False).value(operation.input_shape)
    if service.service_name == "route53":
        for name, member in (operation.input_shape.members if operation.input_shape else {}).items():
            if member.name in ("ResourceId", "DelegationSetId", "ChangeId") and name in params:
                params[name] = "/hostedzone/Z123"
    sent = to_json(params)
    as_handlers_would(service, operation, None, params)
    theirs = botocore_request(service, operation, protocol, params)
    ours = tool.ask(do="serialise", service=service.service_name, operation=operation.name, params=sent)
    if "failure" in ours:
        return {"ours": ours, "theirs": str(theirs)[:600], "params": sent}
    headers = {name.lower(): value for name, value in ours["headers"]}
    for added in ("content-md5", "x-amz-glacier-version"):
        if added not in theirs["headers"]:
            headers.pop(added, None)
    if service.service_name == "apigateway" and "accept" not in theirs["headers"]:
        headers.pop("accept", None)
    ours = {**ours, "headers": headers, "body": comparable_body(protocol, headers, base64.b64decode(ours["body"]))}
    theirs["query"], ours["query"] = sorted(theirs["query"].split("&")), sorted(ours["query"].split("&"))
    if protocol == "rest-json" or protocol == "rest-xml":
        theirs["headers"] = {name: str(value) for name, value in theirs["headers"].items()}
    different = {key: (ours[key], theirs[key]) for key in theirs if ours[key] != theirs[key]}
    return {"different": different, "params": sent} if different else None


# ---- answers ----

def timestamp_text(at, form):
    if form == "rfc822":
        return at.strftime("%a, %d %b %Y %H:%M:%S GMT")
    if form == "unixTimestamp":
        return str(at.timestamp())
    return at.isoformat().replace("+00:00", "Z")


def xml_scalar(shape, value):
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        return timestamp_text(value, shape.serialization.get("timestampFormat", "iso8601"))
    return escape(str(value))


def xml_of(shape, name, value):
    traits = shape.serialization
    if shape.type_name == "structure":
        attributes = inner = ""
        for key, item in value.items():
            member = shape.members[key]
            if member.serialization.get("location"):
                continue
            wire_name = member.serialization.get("name", key)
            if member.serialization.get("xmlAttribute"):
                attributes += f' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {wire_name}="{escape(str(item), {chr(34): "&quot;"})}"'
            else:
                inner += xml_of(member, wire_name, item)
        return f"<{name}{attributes}>{inner}</{name}>"
    if shape.type_name == "list":
        if traits.get("flattened"):
            element_name = shape.member.serialization.get("name", name)
            return "".join(xml_of(shape.member, element_name, item) for item in value)
        element_name = shape.member.serialization.get("name", "member")
        return f"<{name}>" + "".join(xml_of(shape.member, element_name, item) for item in value) + f"</{name}>"
    if shape.type_name == "map":
        key_name, value_name = shape.key.serialization.get("name", "key"), shape.value.serialization.get("name", "value")
        entry = name if traits.get("flattened") else "entry"
        entries = "".join(f"<{entry}>{xml_of(shape.key, key_name, key)}{xml_of(shape.value, value_name, item)}</{entry}>" for key, item in value.items())
        return entries if traits.get("flattened") else f"<{name}>{entries}</{name}>"
    return f"<{name}>{xml_scalar(shape, value)}</{name}>"


def json_of(shape, value):
    if shape.type_name == "structure":
        if shape.is_document_type:
            return value
        return {shape.members[key].serialization.get("name", key): json_of(shape.members[key], item) for key, item in value.items()
                if not shape.members[key].serialization.get("location")}
    if shape.type_name == "list":
        return [json_of(shape.member, item) for item in value]
    if shape.type_name == "map":
        return {key: json_of(shape.value, item) for key, item in value.items()}
    if shape.type_name == "blob":
        return base64.b64encode(value).decode()
    if shape.type_name == "timestamp":
        form = shape.serialization.get("timestampFormat", "unixTimestamp")
        return value.timestamp() if form == "unixTimestamp" else timestamp_text(value, form)
    return value


def head(major, value):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")


def cbor_of(shape, value, rng):
    import struct
    if shape.type_name == "structure":
        out = head(5, len(value))
        for key, item in value.items():
            out += head(3, len(key.encode())) + key.encode() + cbor_of(shape.members[key], item, rng)
        return out
    if shape.type_name == "list":
        items = b"".join(cbor_of(shape.member, item, rng) for item in value)
        return b"\x9f" + items + b"\xff" if rng.random() < 0.3 else head(4, len(value)) + items
    if shape.type_name == "map":
        items = b"".join(head(3, len(key)) + key.encode() + cbor_of(shape.value, item, rng) for key, item in value.items())
        return b"\xbf" + items + b"\xff" if rng.random() < 0.3 else head(5, len(value)) + items
    if shape.type_name == "blob":
        return head(2, len(value)) + value
    if shape.type_name == "timestamp":
        return b"\xc1\xfb" + struct.pack(">d", value.timestamp())
    if shape.type_name == "boolean":
        return b"\xf5" if value else b"\xf4"
    if shape.type_name in ("integer", "long"):
        return head(0, value) if value >= 0 else head(1, -1 - value)
    if shape.type_name in ("float", "double"):
        return b"\xfa" + struct.pack(">f", value) if rng.random() < 0.5 else b"\xfb" + struct.pack(">d", value)
    return head(3, len(value.encode())) + value.encode()


def header_text(shape, value):
    if shape.serialization.get("jsonvalue"):
        return base64.b64encode(json.dumps(value).encode()).decode()
    if shape.type_name == "boolean":
        return "true" if value else "false"
    if shape.type_name == "timestamp":
        return timestamp_text(value, shape.serialization.get("timestampFormat", "rfc822"))
    if shape.type_name == "list":
        return ",".join(header_text(shape.member, item) for item in value)
    return str(value)


def answer_of(protocol, operation, value, rng):
    shape = operation.output_shape
    headers = {"x-amzn-requestid": "b25f48e8"}
    if shape is None:
        return headers, f"<{operation.name}Response/>".encode() if protocol in ("query", "ec2") else b""
    if protocol in ("query", "ec2"):
        wrapper = shape.serialization.get("resultWrapper")
        inner = xml_of(shape, wrapper or "X", value)
        if not wrapper:
            inner = inner[len("<X>"):-len("</X>")]
        metadata = "<requestId>b25</requestId>" if protocol == "ec2" else "<ResponseMetadata><RequestId>b25</RequestId></ResponseMetadata>"
        return headers, f'<?xml version="1.0" encoding="UTF-8"?>\n<{operation.name}Response xmlns="urn:x">\n{inner}{metadata}</{operation.name}Response>'.encode()
    if protocol == "json":
        return headers, json.dumps(json_of(shape, value), ensure_ascii=rng.random() < 0.5).encode()
    if protocol == "smithy-rpc-v2-cbor":
        return headers, cbor_of(shape, value, rng)
    for key, item in list(value.items()):
        member = shape.members[key]
        location = member.serialization.get("location")
        if location == "header" and not (member.type_name == "list" and not item):
            headers[member.serialization.get("name", key)] = header_text(member, item)
        if location == "headers":
            for name, text in item.items():
                headers[member.serialization.get("name", "") + name] = str(text)
    payload = shape.serialization.get("payload")
    if payload:
        member = shape.members[payload]
        item = value.get(payload)
        if member.type_name in ("blob", "string"):
            return headers, (item if isinstance(item, bytes) else (item or "").encode())
        if item is None:
            return headers, b""
        if protocol == "rest-json":
            return headers, json.dumps(json_of(member, item)).encode()
        return headers, xml_of(member, member.serialization.get("name", payload), item).encode()
    if protocol == "rest-json":
        return headers, json.dumps(json_of(shape, value)).encode()
    return headers, xml_of(shape, shape.serialization.get("name", "Root"), value).encode()


def drop_empty_flattened(shape, value):
    """What no XML can tell from absent."""
    if isinstance(value, list) and shape.type_name == "list":
        return [drop_empty_flattened(shape.member, item) for item in value]
    if isinstance(value, dict) and shape.type_name == "map":
        return {key: drop_empty_flattened(shape.value, item) for key, item in value.items()}
    if isinstance(value, dict) and shape.type_name == "structure" and not shape.is_document_type:
        return {key: drop_empty_flattened(shape.members[key], item) for key, item in value.items()}
    return value


def compare_answer(tool, service, operation, rng):
    protocol = Models.protocol(service)
    shape = operation.output_shape
    if has_event_stream(shape) or (service.service_name, operation.name) in NO_MODEL:
        return None
    made = Made(rng, True)
    value = made.value(shape) if shape is not None else {}
    payload = shape.serialization.get("payload") if shape is not None else None
    if payload and shape.members[payload].type_name == "blob" and payload in value:
        value[payload] = b"text"  # botocore decodes raw bodies
    headers, body = answer_of(protocol, operation, value, rng)
    if protocol == "rest-xml" and shape is not None and not payload and shape.members and not any(
            not member.serialization.get("location") for member in shape.members.values()):
        body = b""
    insensitive = botocore.awsrequest.HeadersDict(headers)
    parser = botocore.parsers.create_parser(protocol)
    theirs = parser.parse({"status_code": 200, "headers": insensitive, "body": body, "context": {}}, shape)
    theirs.pop("ResponseMetadata", None)
    theirs = to_parsed(theirs, shape)
    if shape is not None:
        if payload and shape.members[payload].type_name == "blob":
            theirs[payload] = base64.b64encode(body).decode()
        for name, member in shape.members.items():
            if member.type_name == "map" and member.serialization.get("location") == "headers":
                theirs[name] = theirs.get(name, {})
    if service.service_name == "s3" and theirs.get("EncodingType") == "url":
        return None
    ours = tool.ask(do="parse", service=service.service_name, operation=operation.name, status=200, headers=list(headers.items()),
                    body=base64.b64encode(body).decode())
    # An empty structure as payload is no difference: botocore parses an empty body into one.
    if payload and not body and "value" in ours and theirs.get(payload) in ({}, [], None):
        theirs.pop(payload, None)
    if ours.get("value") != theirs:
        return {"ours": ours, "theirs": theirs, "body": body[:2000].decode(errors="replace")}
    return None


def compare_error(tool, service, operation, rng):
    protocol = Models.protocol(service)
    shapes = operation.error_shapes
    shape = rng.choice(shapes) if shapes else None
    code = (shape.metadata.get("error", {}).get("code") or shape.name) if shape else "AccessDenied"
    status = rng.choice([400, 403, 404, 409, 500])
    message = rng.choice(["", "no such thing", "ü <b>"])
    headers = {"x-amzn-requestid": "b25"}
    if protocol == "query":
        body = f"<ErrorResponse xmlns='u'><Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    elif protocol == "ec2":
        body = f"<Response><Errors><Error><Code>{code}</Code><Message>{escape(message)}</Message></Error></Errors><RequestID>1</RequestID></Response>"
    elif protocol == "rest-xml":
        inner = f"<Code>{code}</Code><Message>{escape(message)}</Message><RequestId>1</RequestId>"
        body = f"<Error>{inner}<HostId>h</HostId></Error>" if rng.random() < 0.5 else f"<ErrorResponse><Error>{inner}</Error><RequestId>1</RequestId></ErrorResponse>"
    elif protocol == "smithy-rpc-v2-cbor":
        pairs = {"__type": f"com.amazonaws#{code}", "message": message}
        body = head(5, 2) + b"".join(head(3, len(t.encode())) + t.encode() for pair in pairs.items() for t in pair)
    else:
        form = rng.choice([code, f"com.amazonaws.x#{code}", f"{code}:http://internal.amazon.com/coral/"])
        style = rng.choice(["type", "header", "code"]) if protocol == "rest-json" else "type"
        body = {"message" if rng.random() < 0.5 else "Message": message}
        if style == "type":
            body["__type"] = form
        elif style == "code":
            body["code"] = form
        else:
            headers["x-amzn-errortype"] = form
        body = json.dumps(body)
    if protocol != "rest-json" and protocol in ("json", "smithy-rpc-v2-cbor") and rng.random() < 0.2:
        headers["x-amzn-query-error"] = "Older.Code;Sender"
    body = body if isinstance(body, bytes) else body.encode()
    if rng.random() < 0.1:
        body = rng.choice([b"", b"<html><body>oops</body></html>"])
        status = 503
    parser = botocore.parsers.create_parser(protocol)
    theirs = parser.parse({"status_code": status, "headers": botocore.awsrequest.HeadersDict(headers), "body": body, "context": {}}, operation.output_shape)
    ours = tool.ask(do="parse", service=service.service_name, operation=operation.name, status=status, headers=list(headers.items()),
                    body=base64.b64encode(body).decode())
    generic = body == b"" or body.startswith(b"<html")
    want = (theirs["Error"]["Code"], None if generic else theirs["Error"].get("Message") or "")
    got = (ours.get("code"), None if generic else ours.get("message"))
    return {"ours": ours, "theirs": theirs["Error"], "body": str(body)} if want != got else None


# ---- signatures, endpoints, pages ----

class FixedTime(datetime.datetime):
    @classmethod
    def utcnow(cls):
        return datetime.datetime(2026, 11, 24, 1, 2, 3)

    @classmethod
    def now(cls, tz=None):
        return datetime.datetime(2026, 11, 24, 1, 2, 3, tzinfo=tz)


def compare_signature(tool, rng):
    service = rng.choice(["s3", "iam", "logs"])
    path = rng.choice(["/", "/bucket/a%20b%2Bc/%C3%A9", "/2015-03-31/functions/arn%3Aaws%3Alambda", "/a/../b//c/./d/", "/x/%2F"])
    if service == "s3" and ".." in path:
        path = "/b//c/./d"
    query = rng.choice(["", "?versionId=abc%2F1", "?encryption", "?b=2&a=1&a=0", "?list-type=2&prefix=%20x&delimiter=%2F", "?x=~y"])
    url = rng.choice(["https://example.amazonaws.com", "http://127.0.0.1:5000", "https://h.example:443"]) + path + query
    body = rng.choice([b"", b"Action=ListUsers&Version=2010-05-08", "ü".encode()])
    headers = {"Content-Type": "application/x-amz-json-1.1", "X-Amz-Target": "a.b"} if rng.random() < 0.5 else {"x-amz-meta-a": "  two   blanks "}
    token = rng.choice([None, "TOKEN//=="])
    method = rng.choice(["GET", "POST", "PUT", "HEAD"])
    credentials = botocore.credentials.Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token)
    signer = (botocore.auth.S3SigV4Auth if service == "s3" else botocore.auth.SigV4Auth)(credentials, service, "eu-west-1")
    request = botocore.awsrequest.AWSRequest(method=method, url=url, data=body, headers=dict(headers))
    request.context["client_config"] = None
    request.context["payload_signing_enabled"] = True
    for module in (botocore.auth,):
        module.get_current_datetime = lambda remove_tzinfo=True: datetime.datetime(2026, 11, 24, 1, 2, 3)
    signer.add_auth(request)
    ours = tool.ask(do="sign", method=method, url=url, headers=list(headers.items()), body=base64.b64encode(body).decode(), id="AKIDEXAMPLE",
                    secret="wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", token=token or "", region="eu-west-1", service=service, at="2026-11-24T01:02:03Z")
    ours = {name.lower(): value for name, value in ours["headers"]}
    theirs = {name.lower(): value for name, value in request.headers.items()}
    different = {key: (ours.get(key), theirs[key]) for key in theirs if ours.get(key) != theirs[key]}
    return {"url": url, "method": method, "different": different} if different else None


def compare_endpoint(tool, models, name, rng):
    try:
        rules = models.loader.load_service_model(name, "endpoint-rule-set-1")
    except botocore.exceptions.UnknownServiceError:
        return None
    service = models.service(name)
    operation = service.operation_model(rng.choice(service.operation_names))
    region = rng.choice(["us-east-1", "eu-central-1", "cn-north-1", "us-gov-west-1", "us-iso-east-1", "ap-southeast-7"])
    fips, dual = rng.random() < 0.2, rng.random() < 0.2
    partitions = models.loader.load_data("partitions")
    values = {"AWS::Region": region, "AWS::UseFIPS": fips, "AWS::UseDualStack": dual, "AWS::S3::ForcePathStyle": False, "AWS::S3::Accelerate": False,
              "AWS::S3::UseGlobalEndpoint": False, "AWS::S3::DisableMultiRegionAccessPoints": False, "AWS::S3::UseArnRegion": True,
              "AWS::S3Control::UseArnRegion": True, "AWS::STS::UseGlobalEndpoint": False}
    custom = rng.choice([None, None, "http://127.0.0.1:5000", "https://storage.example.net"]) if not fips and not dual else None
    if custom:
        values["SDK::Endpoint"] = custom
        values["AWS::S3::ForcePathStyle"] = True
    params = {}
    scope = {key: values[parameter["builtIn"]] for key, parameter in rules["parameters"].items() if parameter.get("builtIn") in values}
    for key, fixed in operation.static_context_parameters and [(p.name, p.value) for p in operation.static_context_parameters] or []:
        scope[key] = fixed
    if operation.input_shape is not None:
        for member_name, member in operation.input_shape.members.items():
            context = member.metadata.get("contextParam") if hasattr(member, "metadata") else None
            if context and member.type_name == "string":
                params[member_name] = rng.choice(["my-bucket", "my.bucket", "Mixed_Bucket", "123456789012"])
                scope[context["name"]] = params[member_name]
    provider = botocore.endpoint_provider.EndpointProvider(rules, partitions)
    environment = {}
    if fips:
        environment["AWS_USE_FIPS_ENDPOINT"] = "true"
    if dual:
        environment["AWS_USE_DUALSTACK_ENDPOINT"] = "true"
    if custom:
        environment["AWS_ENDPOINT_URL"] = custom
    ours = tool.ask(do="endpoint", service=name, operation=operation.name, region=region, params=params, environment=environment)
    try:
        theirs = provider.resolve_endpoint(**scope)
    except botocore.exceptions.BotoCoreError as error:
        return None if "failure" in ours else {"ours": ours, "theirs": str(error), "scope": str(scope)}
    schemes = theirs.properties.get("authSchemes", [])
    scheme = next((s for s in schemes if s["name"] == "sigv4"), None)
    if schemes and scheme is None:
        return None if "failure" in ours else {"ours": ours, "theirs": theirs}
    scheme = scheme or {}
    want = {"url": theirs.url.rstrip("/"), "signing_region": scheme.get("signingRegion", region), "signing_name": scheme.get("signingName", service.signing_name)}
    if name == "s3control" and custom == "http://127.0.0.1:5000":
        want["url"] = custom  # where botocore would put an account's name before an address
    return {"ours": ours, "theirs": want, "operation": operation.name, "scope": str(scope)} if ours != want else None


def at_path(value, expression, replacement):
    """Puts `replacement` where a paginator's expression looks (its first alternative)."""
    names = expression.split("||")[0].strip().split(".")
    for name in names[:-1]:
        name, _, index = name.partition("[")
        inner = value.setdefault(name, [{}] if index else {})
        value = inner[-1] if index else inner
    value[names[-1]] = replacement


def compare_pages(tool, models, name, rng):
    """Three pages, then the end: the params that botocore's paginator asks with are ours."""
    try:
        pagination = models.loader.load_service_model(name, "paginators-1")["pagination"]
    except botocore.exceptions.UnknownServiceError:
        return None
    if not pagination:
        return None
    operation = rng.choice(sorted(pagination))
    config = pagination[operation]
    outputs = config["output_token"] if isinstance(config["output_token"], list) else [config["output_token"]]
    pages = []
    for number in range(3):
        page = {}
        for output in outputs:
            if number < 2:
                at_path(page, output, f"token-{number}")
        if config.get("more_results"):
            at_path(page, config["more_results"], number < 2)
        pages.append(page)
    asked = []

    def method(**params):
        asked.append(dict(params))
        return json.loads(json.dumps(pages[len(asked) - 1]))

    model = botocore.paginate.PaginatorModel({"pagination": {operation: config}}).get_paginator(operation)
    list(botocore.paginate.Paginator(method, model, None).paginate())
    params = {}
    for number, page in enumerate(pages):
        if params != asked[number]:
            return {"operation": operation, "page": number, "ours": params, "theirs": asked[number]}
        reply = tool.ask(do="page", service=name, operation=operation, params=params, value=page)
        if "failure" in reply:
            return {"operation": operation, "ours": reply}
        params = reply["params"]
    return {"operation": operation, "ours": params, "theirs": "the end"} if params is not None else None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("tool")
    options.add_argument("data")
    options.add_argument("--count", type=int, default=600)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--only")
    options.add_argument("--service")
    options = options.parse_args()
    rng = random.Random(options.seed)
    models = Models(options.data)
    tool = Tool(options.tool, options.data)
    names = [options.service] if options.service else MAIN + rng.sample([n for n in models.services() if n not in MAIN], 30)
    counts, failures = collections.Counter(), []

    def record(kind, where, difference):
        counts[kind] += 1
        if difference:
            counts[kind + " different"] += 1
            failures.append((kind, where, difference))

    for name in names:
        service = models.service(name)
        protocol = Models.protocol(service)
        operations = service.operation_names
        chosen = operations if name in MAIN and len(operations) < 150 else rng.sample(operations, min(len(operations), 60))
        for operation_name in chosen:
            operation = service.operation_model(operation_name)
            for kind, compare in (("serialise", compare_request), ("parse", compare_answer), ("error", compare_error)):
                if options.only in (None, kind):
                    record(f"{kind} {protocol}", f"{name}:{operation_name}", compare(tool, service, operation, rng))
        for _ in range(8):
            if options.only in (None, "endpoint"):
                record("endpoint", name, compare_endpoint(tool, models, name, rng))
            if options.only in (None, "page"):
                record("page", name, compare_pages(tool, models, name, rng))
    if options.only in (None, "sign"):
        for _ in range(options.count):
            record("sign", "", compare_signature(tool, rng))
    for kind in sorted(counts):
        print(f"{counts[kind]:6} {kind}")
    for kind, where, difference in failures[:12]:
        print(f"--- {kind} {where}\n{json.dumps(difference, default=str, ensure_ascii=False)[:1500]}")
    sys.exit(1 if failures else 0)


main()
