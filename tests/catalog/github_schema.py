"""What GitHub has published of its answers, as one kind of tree: REST's description (OpenAPI) and GraphQL's schema with a query's selection.

A `Place` is somewhere in an answer. `member` and `element` walk on; both say whether what they find may be missing there.
"""
import dataclasses
import json
import pathlib
import re

import graphql

SCHEMAS = pathlib.Path(__file__).resolve().parents[2] / ".deps" / "github"


@dataclasses.dataclass
class Place:
    kinds: set  # of JSON values that may stand here: "string", "integer", "number", "boolean", "array", "object", "null"; empty: anything
    alternatives: list  # schemas (REST) or selections (GraphQL) of which one holds
    world: object

    def member(self, name):
        """(place, whether it is always there) or None."""
        return self.world.member(self, name)

    def element(self):
        return self.world.element(self)


class Rest:
    def __init__(self, name):
        self.document = json.loads((SCHEMAS / name).read_text())

    def resolve(self, schema):
        while "$ref" in schema:
            target = self.document
            for word in schema["$ref"].split("/")[1:]:
                target = target[word]
            schema = target
        return schema

    def operation(self, template):
        """The operation of a path; its placeholders may have other names."""
        wanted = re.sub(r"\{[^}]*\}", "{}", template)
        for path, methods in self.document["paths"].items():
            if re.sub(r"\{[^}]*\}", "{}", path) == wanted:
                return methods["get"]
        return None

    def parameters(self, operation):
        return {self.resolve(parameter)["name"] for parameter in operation.get("parameters", [])}

    def answer(self, operation):
        response = self.resolve(operation["responses"]["200"])
        return self.place([response["content"]["application/json"]["schema"]])

    def spread(self, schema):
        """The schemas of which one holds, each a list of schemas that all hold."""
        schema = self.resolve(schema)
        own = {key: value for key, value in schema.items() if key not in ("oneOf", "anyOf", "allOf")}
        ways = [[own]]
        for part in schema.get("allOf", []):
            ways = [way + more for way in ways for more in self.spread(part)]
        for word in ("oneOf", "anyOf"):
            if schema.get(word):
                ways = [way + more for way in ways for part in schema[word] for more in self.spread(part)]
        return ways

    def place(self, schemas):
        ways = [way for schema in schemas for way in self.spread(schema)]
        kinds = set()
        for way in ways:
            for schema in way:
                kind = schema.get("type", [])
                kinds |= set(kind if isinstance(kind, list) else [kind])
                if schema.get("nullable"):
                    kinds.add("null")
                if "properties" in schema:
                    kinds.add("object")
                if "items" in schema:
                    kinds.add("array")
        return Place(kinds, ways, self)

    def member(self, place, name):
        found, always = [], True
        for way in place.alternatives:
            here = [schema["properties"][name] for schema in way if name in schema.get("properties", {})]
            if not here and all(schema.get("type") == "null" for schema in way if schema.get("type")) and any(schema.get("type") for schema in way):
                continue  # a null has no members, and is NULL
            found += here
            always = always and bool(here) and any(name in schema.get("required", []) for schema in way)
        return (self.place(found), always) if found else None

    def element(self, place):
        found = [schema["items"] for way in place.alternatives for schema in way if "items" in schema]
        return self.place(found) if found else None


SCALARS = {"Int": "integer", "Boolean": "boolean", "String": "string", "ID": "string", "Float": "number"}


class Graph:
    def __init__(self):
        self.schema = graphql.build_schema((SCHEMAS / "schema.graphql").read_text(), assume_valid=True)

    def parse(self, text):
        document = graphql.parse(text)
        mistakes = graphql.validate(self.schema, document)
        return document, mistakes

    def answer(self, document):
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, graphql.FragmentDefinitionNode)}
        query = next(d for d in document.definitions if isinstance(d, graphql.OperationDefinitionNode))
        data = Place({"object"}, [(self.schema.query_type, [query.selection_set], fragments)], self)
        root = Place({"object"}, [{"data": data}], self)
        return root

    def fields(self, kind, selections, fragments):
        """(fields of an object type by the name that the answer gives them)"""
        found = {}
        for selection in (s for some in selections for s in some.selections):
            if isinstance(selection, graphql.FieldNode):
                name = (selection.alias or selection.name).value
                found.setdefault(name, []).append(selection)
                continue
            fragment = fragments[selection.name.value] if isinstance(selection, graphql.FragmentSpreadNode) else selection
            condition = self.schema.type_map[fragment.type_condition.name.value] if fragment.type_condition else kind
            if condition is kind or (graphql.is_abstract_type(condition) and self.schema.is_sub_type(condition, kind)):
                for name, nodes in self.fields(kind, [fragment.selection_set], fragments).items():
                    found.setdefault(name, []).extend(nodes)
        return found

    def typed(self, kind, nodes, fragments):
        """A place of one declared type."""
        kinds = {"null"}
        if graphql.is_non_null_type(kind):
            kind, kinds = kind.of_type, set()
        if graphql.is_list_type(kind):
            return Place(kinds | {"array"}, [("list", kind.of_type, nodes, fragments)], self)
        selections = [node.selection_set for node in nodes if node.selection_set]
        if not selections:
            return Place(kinds | {SCALARS.get(kind.name, "string")}, [], self)
        objects = self.schema.get_possible_types(kind) if graphql.is_abstract_type(kind) else [kind]
        return Place(kinds | {"object"}, [(one, selections, fragments) for one in objects], self)

    def member(self, place, name):
        places, always = [], True
        for way in place.alternatives:
            if isinstance(way, dict):
                return (way[name], True) if name in way else None
            kind, selections, fragments = way
            nodes = self.fields(kind, selections, fragments).get(name)
            if not nodes:
                always = False
                continue
            field = nodes[0].name.value
            declared = graphql.GraphQLNonNull(graphql.GraphQLString) if field == "__typename" else kind.fields[field].type
            places.append(self.typed(declared, nodes, fragments))
        if not places:
            return None
        kinds = set().union(*(p.kinds for p in places))
        return Place(kinds, [a for p in places for a in p.alternatives], self), always

    def element(self, place):
        places = [self.typed(way[1], way[2], way[3]) for way in place.alternatives if isinstance(way, tuple) and way[0] == "list"]
        if not places:
            return None
        return Place(set().union(*(p.kinds for p in places)), [a for p in places for a in p.alternatives], self)

    def size(self, document):
        """(nodes, points) by docs.github.com, "Rate limits and query limits for the GraphQL API": a connection has as many nodes as `first` or
        `last` says, for each node of the connections that it stands in; it costs one request for each of those, and 100 requests are a point."""
        fragments = {d.name.value: d for d in document.definitions if isinstance(d, graphql.FragmentDefinitionNode)}
        query = next(d for d in document.definitions if isinstance(d, graphql.OperationDefinitionNode))
        nodes = requests = 0

        def walk(selection_set, parents):
            nonlocal nodes, requests
            for selection in selection_set.selections:
                if isinstance(selection, graphql.FragmentSpreadNode):
                    walk(fragments[selection.name.value].selection_set, parents)
                    continue
                bound = None
                if isinstance(selection, graphql.FieldNode):
                    for argument in selection.arguments or ():
                        if argument.name.value in ("first", "last"):
                            bound = int(argument.value.value)
                if bound is not None:
                    nodes += parents * bound
                    requests += parents
                if selection.selection_set:
                    walk(selection.selection_set, parents * (bound or 1))

        walk(query.selection_set, 1)
        return nodes, max(1, round(requests / 100))
