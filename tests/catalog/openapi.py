"""Turns a provider's OpenAPI description in YAML into what tests read of it, as JSON: the GET calls and the shapes of their answers, without examples.

    python tests/catalog/openapi.py DESCRIPTION.yaml OUT.json        (./dev setup)
"""
import json
import sys

import yaml


class Plain(yaml.CSafeLoader):
    """Texts that look like dates stay texts: descriptions have examples like 2024-02-30."""


Plain.yaml_implicit_resolvers = {letter: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
                                 for letter, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()}


def bare(node):
    if isinstance(node, dict):
        return {key: bare(value) for key, value in node.items() if key not in ("example", "examples") or (isinstance(value, dict) and "type" in value)}
    return [bare(value) for value in node] if isinstance(node, list) else node


def main(description, out):
    with open(description) as file:
        document = yaml.load(file, Plain)
    kept = {"openapi": document["openapi"], "info": document["info"],
            "paths": {path: {"get": bare(methods["get"])} for path, methods in document["paths"].items() if "get" in methods},
            "components": {part: bare(document["components"].get(part, {})) for part in ("schemas", "parameters", "responses")}}
    with open(out, "w") as file:
        json.dump(kept, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
