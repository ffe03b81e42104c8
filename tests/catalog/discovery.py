"""Google's discovery documents as the tests read an OpenAPI description (github_schema.py): several of one product, for each is one API of it."""
import json
import re

from github_schema import Rest


class Discovery(Rest):
    def __init__(self, *paths):
        documents = [json.loads(path.read_text()) for path in paths]
        self.schemas = {name: schema for document in documents for name, schema in document["schemas"].items()}
        self.methods = [method for document in documents for method in self.all_methods(document)]

    @classmethod
    def all_methods(cls, resource):
        found = list(resource.get("methods", {}).values())
        for inner in resource.get("resources", {}).values():
            found += cls.all_methods(inner)
        return found

    def resolve(self, schema):
        while "$ref" in schema:
            schema = self.schemas[schema["$ref"]]
        return {key: value for key, value in schema.items() if (key, value) != ("type", "any")}

    def operation(self, template):
        """What stands in our template as it is may be a parameter of theirs (the one customer, the one application): the method that says most itself."""
        wanted = re.sub(r"\{[^}]*\}", "x", template)
        fitting = [method for method in self.methods
                   if method["httpMethod"] == "GET" and re.fullmatch(re.sub(r"\{\+?\w+\}", "[^/]+", "/" + method["path"]), wanted)]
        return max(fitting, key=lambda method: len(re.sub(r"\{.*?\}", "", method["path"])), default=None)

    def parameters(self, operation):
        return set(operation["parameters"])

    def answer(self, operation):
        return self.place([operation["response"]])

    @staticmethod
    def scopes(operation):
        return set(operation["scopes"])
