"""Reads the expressions of fact and source files (catalog/README.md, "Expressions") as far as a test needs: which paths they walk.

    parse("coalesce(p.a, 'x')") -> Call("coalesce", [Path("p", ["a"]), Literal])
"""
import dataclasses
import re

KINDS = {  # of JSON that a column's type takes
    "text": {"string", "integer", "number", "boolean", "null"},
    "integer": {"integer", "null"},
    "number": {"integer", "number", "null"},
    "boolean": {"boolean", "null"},
    "time": {"string", "integer", "null"},
    "json": {"string", "integer", "number", "boolean", "null", "array", "object"},
}
TOKEN = re.compile(r"\s*(?:(?P<text>'(?:[^'])*')|(?P<number>-?\d+)|(?P<word>[A-Za-z_@$][\w@$-]*)|(?P<sign>[.,()\[\]?]))")


@dataclasses.dataclass
class Path:
    root: str
    steps: list  # names, "[]" and integers


@dataclasses.dataclass
class Call:
    name: str
    arguments: list
    steps: list


class Literal:
    pass


def tokens(text):
    place, found = 0, []
    while place < len(text.rstrip()):
        match = TOKEN.match(text, place)
        assert match, f"`{text}` at {place}"
        found.append(match.group().strip())
        place = match.end()
    return found


def parse(text):
    words = tokens(text)
    node, rest = expression(words)
    assert not rest, f"`{text}`: {rest} is left"
    return node


def steps(words):
    found = []
    while words and words[0] in (".", "["):
        if words[0] == ".":
            found.append(words[1].strip("'"))
            words = words[2:]
        elif words[1] == "]":
            found.append("[]")
            words = words[2:]
        else:
            found.append(int(words[1]))
            words = words[3:]
    return found, words


def expression(words):
    word, rest = words[0], words[1:]
    if word == "[":  # `[]` alone: the answer is the list
        found, rest = steps(words)
        return Path("answer", found), rest
    if word.startswith("'") or word.lstrip("-").isdigit() or word in ("true", "false"):
        return Literal(), rest
    if rest[:1] == ["("]:
        arguments, rest = [], rest[1:]
        while rest[0] != ")":
            argument, rest = expression(rest)
            arguments.append(argument)
            if rest[0] == ",":
                rest = rest[1:]
        found, rest = steps(rest[1:])
        return Call(word, arguments, found), rest
    found, rest = steps(rest)
    return Path(word, found), rest


def levels(text):
    """`a.b[] as x, x.c[]? as y` -> [(expression, name, optional)]"""
    depth, part, parts = 0, "", []
    for letter in text:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += letter
    found = []
    for one in parts + [part]:
        value, name = one.strip().rsplit(" as ", 1)
        optional = value.endswith("?")
        found.append((parse(value.rstrip("?").strip()), name.strip(), optional))
    return found
