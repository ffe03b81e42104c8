"""GitHub's OpenAPI description as a judge: is this an answer that GitHub could have given?

Two questions. Does the body fit the schema that is published for this operation and status (jsonschema-rs; OpenAPI 3.0's `nullable` made into JSON
Schema)? And has it no member that the schema does not name? Schemas rarely forbid more members, so the second is asked here, over all branches that
a value could have come from. Answers are judged once for each content.
"""
import hashlib
import json
import pathlib

import jsonschema_rs

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / ".deps" / "github"

# A member that the real API puts into every error, and that some published schemas of errors lack.
IN_ERRORS = ("status",)

# Where the published schema fits no answer at all. Here an installation's account would have to be a user and an enterprise at once; the same object
# is described rightly for /app/installations/{installation_id}.
AMENDED = {("GET", "/app/installations", "200"): {"type": "array", "items": {"$ref": "#/components/schemas/installation"}}}

# Refusals that the description leaves out.
ALSO = {("GET", "/orgs/{org}/outside_collaborators", 422), ("GET", "/orgs/{org}/actions/permissions/selected-actions", 409),
        ("GET", "/repos/{owner}/{repo}/actions/permissions/selected-actions", 409)}


class Validator:
    def __init__(self, folder=SCHEMAS):
        self.folder, self.documents, self.compiled, self.seen = folder, {}, {}, {}

    def document(self, name="api.github.com"):
        if name not in self.documents:
            text = json.loads((self.folder / f"{name}.json").read_text())
            text["components"]["schemas"] = {key: as_json_schema(value) for key, value in text["components"]["schemas"].items()}
            self.documents[name] = text
        return self.documents[name]

    def operation(self, method, path):
        """(document's name, operation), or None where GitHub has no such call."""
        for name in ("api.github.com", "ghec"):
            found = self.document(name)["paths"].get(path, {}).get(method.lower())
            if found:
                return name, found
        return None

    def judge(self, method, path, status, body):
        """The faults of an answer, as text."""
        found = self.operation(method, path)
        if found is None:
            return [f"GitHub has no {method} {path}"]
        name, operation = found
        answer = operation["responses"].get(str(status))
        if answer is None:
            usual = status in (301, 307, 400, 401, 403, 404, 429) or (method, path, status) in ALSO
            return [] if usual and self.is_error(body) else [f"{method} {path} never answers {status}"]
        document = self.document(name)
        if "$ref" in answer:
            answer = document["components"]["responses"][answer["$ref"].rsplit("/", 1)[1]]
        schema = answer.get("content", {}).get("application/json", {}).get("schema")
        schema = AMENDED.get((method, path, str(status)), schema)
        if schema is None:
            return [] if body is None or status >= 400 and self.is_error(body) else [f"{method} {path} answers {status} without a body"]
        if body is None:
            return [f"{method} {path} answers {status} with a body"]
        digest = hashlib.sha1(json.dumps([method, path, status, body]).encode()).digest()
        if digest not in self.seen:
            schema = as_json_schema(schema)
            validator = self.validator(name, (method, path, status), schema)
            faults = [f"{'/'.join(map(str, e.instance_path))}: {e.message[:300]}" for e in list(validator.iter_errors(body))[:8]]
            faults += [f"{where}: `{member}` is no member that GitHub has" for where, member in self.unknown(document, [schema], body, "")
                       if status < 400 or member not in IN_ERRORS]
            self.seen[digest] = [f"{method} {path} {status}: {fault}" for fault in faults]
        return self.seen[digest]

    def judge_webhook(self, event, action, body):
        """The same two questions of a webhook's payload: GitHub describes those too."""
        name = "-".join(word.replace("_", "-") for word in (event, action) if word)
        described = self.document()["x-webhooks"].get(name)
        if described is None:
            return [f"GitHub has no webhook {name}"]
        schema = as_json_schema(described["post"]["requestBody"]["content"]["application/json"]["schema"])
        faults = [f"{'/'.join(map(str, e.instance_path))}: {e.message[:300]}" for e in list(self.validator("api.github.com", name, schema).iter_errors(body))[:8]]
        faults += [f"{where}: `{member}` is no member that GitHub has" for where, member in self.unknown(self.document(), [schema], body, "")]
        return [f"webhook {name}: {fault}" for fault in faults]

    def refuse(self, method, path, body):
        """Why GitHub would refuse a request's body, as text; None if it would not."""
        name, operation = self.operation(method, path)
        schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if schema is None or body is None:
            return None
        validator = self.validator(name, (method, path, "request"), as_json_schema(schema))
        return next((f"{'/'.join(map(str, e.instance_path))}: {e.message[:200]}" for e in validator.iter_errors(body)), None)

    @staticmethod
    def is_error(body):
        return body is None or isinstance(body, dict) and isinstance(body.get("message"), str)

    def validator(self, name, key, schema):
        if key not in self.compiled:
            reached = self.reached(name, schema)
            self.compiled[key] = jsonschema_rs.Draft7Validator({"components": {"schemas": reached}, "allOf": [schema]}, validate_formats=True)
        return self.compiled[key]

    def reached(self, name, schema):
        """The named schemas that a schema leads to."""
        found, todo, schemas = {}, [schema], self.documents[name]["components"]["schemas"]
        while todo:
            value = todo.pop()
            if isinstance(value, dict):
                named = value.get("$ref")
                if isinstance(named, str) and (short := named.rsplit("/", 1)[1]) not in found:
                    found[short] = schemas[short]
                    todo.append(schemas[short])
                todo += value.values()
            elif isinstance(value, list):
                todo += value
        return found

    def unknown(self, document, schemas, value, where):
        """(where, member) of each member that no branch of the schemas names."""
        branches = flat(document, schemas)
        if isinstance(value, list):
            inner = [b["items"] for b in branches if "items" in b]
            for index, item in enumerate(value):
                yield from self.unknown(document, inner, item, f"{where}/{index}")
        elif isinstance(value, dict):
            if any(b.get("additionalProperties") or not b.get("properties") and b.get("type") == "object" for b in branches):
                return
            for member, content in value.items():
                inner = [b["properties"][member] for b in branches if member in b.get("properties", {})]
                if inner:
                    yield from self.unknown(document, inner, content, f"{where}/{member}")
                else:
                    yield where, member


def flat(document, schemas):
    found, todo = [], list(schemas)
    while todo:
        schema = todo.pop()
        while "$ref" in schema:
            schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
        found.append(schema)
        for word in ("allOf", "anyOf"):
            todo += schema.get(word, [])
    return found


def as_json_schema(schema):
    """OpenAPI 3.0's dialect, as JSON Schema. The path templates that `uri` members hold (`{/sha}`) are no URIs, and GitHub serves them all the same."""
    if isinstance(schema, list):
        return [as_json_schema(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {}
    for key, value in schema.items():
        if key in ("example", "examples", "description", "title", "externalDocs", "x-github", "discriminator", "default", "deprecated", "readOnly", "xml"):
            if key != "description" and key != "title" or isinstance(value, str):
                continue
        if key == "oneOf":  # GitHub's alternatives overlap (a public user is a private one with less): any of them will do
            key = "anyOf"
        made[key] = {name: as_json_schema(each) for name, each in value.items()} if key == "properties" else value if key in ("enum", "required") else as_json_schema(value)
    if made.pop("nullable", False):
        if "enum" in made and None not in made["enum"]:
            made["enum"] = made["enum"] + [None]
        if "type" in made:
            made["type"] = [made["type"], "null"]
        elif "$ref" not in made:
            made = {"anyOf": [made, {"type": "null"}]}
    if "format" in made and isinstance(schema.get("default"), str):  # its own default fits, as "" does where a URI was never given
        made = {"anyOf": [made, {"const": schema["default"]}]}
    return made
