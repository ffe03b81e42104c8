"""TypeScript declarations of an API's types as the tests read an OpenAPI description (github_schema.py), for APIs that publish no other.

    Types(path, {"/v1.0/users": {"value": ["User"]}})     # what answers to which path: a type's name, a list of one, an object of such, or `OneOf` of names

Reads `interface A extends B { name?: Type; }` and `type A = B & { … }`; members are texts, numbers, booleans, lists of them, or other types by name. What it does not know may be
anything.
"""
import re

from github_schema import Rest

SIMPLE = {"string": {"type": "string"}, "number": {"type": ["number", "integer"]}, "boolean": {"type": "boolean"}, "null": {"type": "null"}}
SCALARS = {"Float": SIMPLE["number"], "Int": {"type": "integer"}, "Boolean": SIMPLE["boolean"], "JSON": {}, "JSONObject": {"type": "object", "additionalProperties": True}}


class OneOf(list):
    pass


def split(text, sign):
    """At the signs that stand in no bracket."""
    depth, part, parts = 0, "", []
    for letter in text:
        depth += letter in "<{[(" and 1
        depth -= letter in ">}])" and 1
        if letter == sign and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    return [one.strip() for one in parts + [part] if one.strip()]


def shape(text):
    text = text.strip()
    ways = split(text, "|")
    if len(ways) > 1:
        if all(way[0] in "\"'" for way in ways):
            return SIMPLE["string"]
        return {"anyOf": [shape(way) for way in ways]}
    if text in SIMPLE:
        return SIMPLE[text]
    if text[0] in "\"'":
        return SIMPLE["string"]
    if text.endswith("[]"):
        return {"type": "array", "items": shape(text[:-2].strip("()"))}
    if wrapped := re.fullmatch(r"(NullableOption|Maybe|InputMaybe)<(.*)>", text, re.S):
        return {"anyOf": [shape(wrapped.group(2)), SIMPLE["null"]]}
    if wrapped := re.fullmatch(r"Array<(.*)>", text, re.S):
        return {"type": "array", "items": shape(wrapped.group(1))}
    if scalar := re.fullmatch(r'Scalars\["(\w+)"\]', text):
        return SCALARS.get(scalar.group(1), SIMPLE["string"])
    if text.startswith("{"):
        return members(text[1:text.rindex("}")])
    return {"$ref": text} if re.fullmatch(r"\w+", text) else {}


def members(body):
    found = {}
    for one in split(body, ";"):
        if member := re.fullmatch(r"(?:readonly )?[\"']?([\w@.$-]+)[\"']?\??:\s*(.*)", one, re.S):
            found[member.group(1)] = shape(member.group(2))
    return {"type": "object", "properties": found}


class Types(Rest):
    def __init__(self, path, answers, parameters=()):
        text = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", path.read_text(), flags=re.S | re.M)
        self.places = {}
        for head, name, base in re.findall(r"^((?:export )?interface (\w+)(?: extends (\w+))?(?:<[^{]*>)? \{)", text, re.M):
            self.places[name] = ("interface", text.index(head) + len(head) - 1, base)
        for head, name, base in re.findall(r"^((?:export )?(?:declare )?type (\w+) = (?:(\w+) & )?)(?=[\w{\"])", text, re.M):
            self.places.setdefault(name, ("type", text.index(head) + len(head), base))
        self.text, self.read, self.answers, self.known = text, {}, answers, set(parameters)

    def resolve(self, schema):
        while "$ref" in schema:
            name = schema["$ref"]
            if name not in self.read:
                self.read[name] = self.declaration(name)
            schema = self.read[name]
        return schema

    def declaration(self, name):
        if name not in self.places:
            return {}
        kind, at, base = self.places[name]
        if self.text[at] != "{":
            return shape(self.text[at:self.text.index(";", at)])
        depth = 0
        for end in range(at, len(self.text)):
            depth += (self.text[end] == "{") - (self.text[end] == "}")
            if depth == 0:
                break
        own = members(self.text[at + 1:end])
        return {"allOf": [{"$ref": base}, own]} if base else own

    def operation(self, template):
        wanted = re.sub(r"\{[^}]*\}", "{}", template)
        return next((told for path, told in self.answers.items() if re.sub(r"\{[^}]*\}", "{}", path) == wanted), None)

    def parameters(self, _):
        return self.known

    def answer(self, told):
        return self.place([self.told(told)])

    def told(self, value):
        if isinstance(value, OneOf):
            return {"anyOf": [self.told(one) for one in value]}
        if isinstance(value, str):
            assert value in self.places or value in SIMPLE, f"no type {value}"
            return {"$ref": value} if value in self.places else SIMPLE[value]
        if isinstance(value, list):
            return {"type": "array", "items": self.told(value[0])}
        return {"type": "object", "properties": {name: self.told(one) for name, one in value.items()}}
