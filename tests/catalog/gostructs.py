"""A Go library's types as the tests read an OpenAPI description (github_schema.py), for APIs whose maker publishes them so: `Name Type `json:"name"``, embedded types included."""
import re

from typescript import Types

SIMPLE = {"string": {"type": ["string", "null"]}, "bool": {"type": ["boolean", "null"]}, "float64": {"type": ["number", "null"]}} | {
    name: {"type": ["integer", "null"]} for name in ("int", "int64", "uint", "uint64")}


def shape(kind):
    kind = kind.lstrip("*")
    if kind.startswith("[]"):
        return {"type": ["array", "null"], "items": shape(kind[2:])}
    return SIMPLE.get(kind) or ({"$ref": kind} if re.fullmatch(r"\w+", kind) else {})


class Structs(Types):
    def __init__(self, folder, answers, parameters=()):
        self.text = "\n".join(path.read_text() for path in sorted(folder.glob("*.go")) if not path.name.endswith("_test.go"))
        self.places = {name: body for name, body in re.findall(r"^type (\w+) (?:struct \{\n(.*?)^\}|\w+$)", self.text, re.M | re.S)}
        self.aliases = dict(re.findall(r"^type (\w+) ([A-Z]\w+)$", self.text, re.M))
        self.read, self.answers, self.known = {}, answers, set(parameters)

    def declaration(self, name):
        if name in self.aliases:
            return {"$ref": self.aliases[name]} if self.aliases[name] != name else {}
        if name not in self.places:
            return {}
        own, embedded = {}, []
        for line in self.places[name].splitlines():
            line = line.split("//")[0].strip()
            if member := re.fullmatch(r"(\w+)\s+(\S+)(?:\s+`json:\"([\w]+).*`)?", line):
                own[member.group(3) or member.group(1).lower()] = shape(member.group(2))
            elif re.fullmatch(r"[A-Z]\w+", line):
                embedded.append({"$ref": line})
        return {"allOf": [*embedded, {"type": ["object", "null"], "properties": own}]}
