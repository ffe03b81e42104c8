"""Every fact of AWS reads members that AWS's own models say are there: a path that does not exist would be NULL for ever, and no one would know."""
import dataclasses
import functools
import pathlib
import re
import sys

import botocore.loaders
import botocore.model
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CATALOG = ROOT / "catalog"
MODELS = ROOT / ".deps" / "botocore" / "botocore" / "data"
sys.path.insert(0, str(ROOT / "tests" / "company"))
import lacking  # noqa: E402

# What a function gives is no longer AWS's shape; a text, or anything at all.
OPAQUE = {"json", "csv", "urldecode", "base64", "split", "concat", "lower", "length", "equals", "contains", "tag"}
ANYWHERE = {"account", "region", "partition", "key", "params"}
# What a column of a type can hold; texts are read as booleans and instants, never as numbers.
HOLDS = {"integer": {"integer", "long"}, "number": {"integer", "long", "float", "double"}, "boolean": {"boolean", "string"}, "time": {"timestamp", "string"}}
WORD = re.compile(r"\s*(?:'((?:[^']|'')*)'|(\d+)|([A-Za-z_][\w-]*)|(\S))")


@functools.cache
def service_model(service):
    loader = botocore.loaders.Loader(extra_search_paths=[str(MODELS)], include_default_search_paths=False)
    return botocore.model.ServiceModel(loader.load_service_model(service, "service-2"), service)


def output_shape(name):
    service, operation = name.split(":")
    return service_model(service).operation_model(operation).output_shape


class Wrong(Exception):
    pass


def member(shape, name):
    """The shape of a member; None where the model says nothing."""
    if shape is None or getattr(shape, "document", False):
        return None
    if shape.type_name == "map":
        return shape.value
    if shape.type_name != "structure":
        raise Wrong(f"nothing is beneath a {shape.name} ({shape.type_name}): `{name}`")
    if name in shape.members:
        return shape.members[name]
    raise Wrong(f"{shape.name} has no member `{name}`")


def element(shape):
    if shape is None:
        return None
    if shape.type_name != "list":
        raise Wrong(f"{shape.name} is no list")
    return shape.member


@dataclasses.dataclass
class Made:
    """The shape of what a function gives."""

    name: str
    type_name: str
    member: object = None
    members: dict = dataclasses.field(default_factory=dict)


class Reader:
    """Walks an expression (facts/expression.h) along the shapes of an answer."""

    def __init__(self, text, answer, levels):
        self.text, self.answer, self.levels, self.at = text, answer, levels, 0

    def peek(self):
        match = WORD.match(self.text, self.at)
        return (match.groups(), match.end()) if match else ((None,) * 4, self.at)

    def take(self):
        (quoted, number, word, sign), self.at = self.peek()
        return quoted, number, word, sign

    def expression(self):
        quoted, number, word, _ = self.take()
        if quoted is not None or number is not None or word in ("true", "false"):
            return None
        if self.peek()[0][3] == "(":
            shape = self.call(word)
        elif word in self.levels:
            shape = self.levels[word]
        elif word in ANYWHERE:
            return self.steps(None)
        else:
            shape = member(self.answer, word)
        return self.steps(shape)

    def call(self, name):
        self.take()
        given = [self.expression()]
        while self.take()[3] == ",":
            given.append(self.expression())
        if name in OPAQUE:
            return None
        if name == "entries":
            return given[0] and Made("entries", "list", Made("entry", "structure", members={"key": None, "value": given[0].value}))
        if name == "coalesce":
            return next((shape for shape in given if shape is not None), None)
        if name == "array":
            return given[0] if given[0] is None or given[0].type_name == "list" else Made("array", "list", given[0])
        raise Wrong(f"`{name}` is a function that this test does not know")

    def steps(self, shape):
        while (sign := self.peek()[0][3]) in (".", "["):
            before = self.at
            self.take()
            if sign == ".":
                quoted, _, word, _ = self.take()
                shape = member(shape, quoted or word)
            elif self.peek()[0][3] == "]":
                self.at = before
                return shape
            else:
                self.take()
                self.take()
                shape = element(shape)
        return shape


def walk(text, answer, levels):
    return Reader(text, answer, levels).expression()


def open_levels(rows, answer, levels):
    """Reads `PATH[] as name, …`, and adds the shape of each level."""
    reader = Reader(rows, answer, levels)
    while True:
        shape = reader.expression()
        while reader.peek()[0][3] == "[":
            reader.take(), reader.take()
            shape = reader.steps(element(shape))
        assert reader.take()[2] == "as"
        levels[reader.take()[2]] = shape
        if reader.take()[3] != ",":
            return


def fact_tables():
    for file in sorted((CATALOG / "facts" / "aws").glob("*.yaml")):
        for table in yaml.safe_load(file.read_text()):
            yield pytest.param(file.name, table, id=table["table"])


@pytest.mark.parametrize("file, table", list(fact_tables()))
def test_every_column_reads_members_that_the_answer_has(file, table):
    answer = output_shape(table["from"])
    wrong = []
    rows = table.get("rows", [])
    levels = {}
    for text in [rows] if isinstance(rows, str) else rows:
        try:
            open_levels(text, answer, levels)
        except Wrong as reason:
            wrong.append(f"rows `{text}`: {reason}")
    for column, text in table["columns"].items():
        kind, expression = text.split(" ", 1)
        try:
            shape = walk(expression, answer, levels)
            if shape is not None and shape.type_name not in HOLDS.get(kind, {shape.type_name}):
                raise Wrong(f"a column of type {kind} can't hold a {shape.type_name}")
        except Wrong as reason:
            wrong.append(f"{column} `{text}`: {reason}")
    assert not wrong, f"{file}: {table['table']}: " + "; ".join(wrong)


def test_a_path_that_does_not_exist_is_found():
    answer = output_shape("s3:ListBuckets")
    levels = {}
    open_levels("Buckets[] as b", answer, levels)
    assert walk("b.Name", answer, levels).type_name == "string"
    for text in ("b.Nam", "b.Name.More", "Bucket", "tag(b.Tags, 'Name')"):
        with pytest.raises(Wrong):
            walk(text, answer, levels)
    with pytest.raises(Wrong):
        open_levels("Owner[] as o", answer, {})


SIGNED = {"access-analyzer": "accessanalyzer"}


def lacking_answers():
    for target, (service, body) in lacking.BY_TARGET.items():
        yield f"{service}:{target.rsplit('.', 1)[1]}", body
    for signed, _, _, operation, body in lacking.BY_PATH:
        yield f"{SIGNED.get(signed, signed)}:{operation}", body


@pytest.mark.parametrize("name, body", list(lacking_answers()))
def test_what_stands_in_for_moto_answers_in_the_services_shape(name, body):
    shape = output_shape(name)
    for one in body:
        assert one in shape.members
