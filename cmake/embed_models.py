#!/usr/bin/env python3
"""Packs the service models that the catalogue names, for embedding.

    embed_models.py --data .deps/botocore/botocore/data --catalog catalog/sources --output models.zst

Reads botocore's data (Apache-2.0) and writes, compressed with zstd, one line of JSON with the version, the partitions and the
services' names, then one line of JSON for each service: botocore's service-2.json with the paginators under `pagination` and the
endpoint rule set under `rules`, without documentation, and with no more than the operations named and the shapes they reach.
Keys are sorted, so equal input gives equal bytes. Python 3.11's standard library only.
"""
import argparse
import gzip
import json
import os
import pathlib
import re
import subprocess
import sys

# What Vouch itself calls, whatever the catalogue says: who are we, which regions, how to get credentials.
ALWAYS = {
    "account": ["ListRegions"],
    "ec2": ["DescribeRegions"],
    "sso": ["GetRoleCredentials"],
    "sso-oidc": ["CreateToken"],
    "sts": ["AssumeRole", "AssumeRoleWithWebIdentity", "GetCallerIdentity"],
}
# Listings that come in pages and that botocore has no paginator for.
PAGINATORS = {
    "iam": {"GetServiceLastAccessedDetails": {"input_token": "Marker", "output_token": "Marker", "more_results": "IsTruncated",
                                              "limit_key": "MaxItems", "result_key": "ServicesLastAccessed"}},
    "s3": {"ListBucketInventoryConfigurations": {"input_token": "ContinuationToken", "output_token": "NextContinuationToken",
                                                 "more_results": "IsTruncated", "result_key": "InventoryConfigurationList"}},
    "ssm": {"DescribeDocumentPermission": {"input_token": "NextToken", "output_token": "NextToken", "limit_key": "MaxResults",
                                           "result_key": ["AccountIds", "AccountSharingInfoList"]}},
    "wafv2": {"ListLoggingConfigurations": {"input_token": "NextMarker", "output_token": "NextMarker", "limit_key": "Limit",
                                            "result_key": "LoggingConfigurations"},
              "ListWebACLs": {"input_token": "NextMarker", "output_token": "NextMarker", "limit_key": "Limit", "result_key": "WebACLs"}},
}
# Written by people for people, or for tools of botocore's own.
DROPPED = {"documentation", "documentationUrl", "deprecatedMessage", "deprecatedSince", "deprecated", "synthetic", "examples",
           "pattern", "enum", "min", "max", "sensitive", "box", "internalonly", "examples-1"}


def read(stem):
    """stem.json.gz or stem.json, else None."""
    for ending, opener in ((".json.gz", gzip.open), (".json", open)):
        path = pathlib.Path(str(stem) + ending)
        if path.exists():
            with opener(path, "rt", encoding="utf-8") as file:
                return json.load(file)
    return None


def merge(base, extra):
    for key, value in extra.items():
        if isinstance(value, dict) and isinstance(base.get(key), dict):
            merge(base[key], value)
        else:
            base[key] = value


def read_with_extras(folder, name):
    content = read(folder / name) or {}
    extras = read(folder / f"{name}.sdk-extras")
    if extras:
        merge(content, extras.get("merge", {}))
    return content


def named_operations(catalog):
    """{service: {operation}} of all `service:` and `- operation:` lines of the AWS sources."""
    named = {service: set(operations) for service, operations in ALWAYS.items()}
    for path in sorted((catalog / "aws").rglob("*.yaml")):
        service = None
        for line in path.read_text(encoding="utf-8").splitlines():
            line = re.sub(r"(^|\s)#.*$", "", line).rstrip()
            if match := re.match(r"\s*service:\s*[\"']?([a-z0-9.-]+)[\"']?$", line):
                service = match.group(1)
            for operation in re.findall(r"\boperation:\s*[\"']?([A-Z][A-Za-z0-9]*)", line):
                if service is None:
                    sys.exit(f"{path}: `operation: {operation}` before any `service:`")
                named.setdefault(service, set()).add(operation)
    return named


def references(description):
    """Names of the shapes that a shape or an operation uses."""
    for key in ("input", "output", "member", "key", "value"):
        if isinstance(description.get(key), dict):
            yield description[key]["shape"]
    for member in description.get("members", {}).values():
        yield member["shape"]
    for error in description.get("errors", []):
        yield error["shape"]


def without_prose(value):
    """Traits without what nobody reads; names of members and shapes are kept whatever they are."""
    if not isinstance(value, dict):
        return value
    out = {}
    for key, item in value.items():
        if key in DROPPED:
            continue
        if key == "members":
            out[key] = {name: without_prose(member) for name, member in item.items()}
        elif key == "errors":
            out[key] = [without_prose(error) for error in item]
        else:
            out[key] = without_prose(item)
    return out


def compact(service, operations, data):
    folder = data / service
    if not folder.is_dir():
        sys.exit(f"botocore has no service `{service}` (its name is that of the directory in {data})")
    newest = folder / max(entry.name for entry in folder.iterdir() if entry.is_dir())
    model = read_with_extras(newest, "service-2")
    pagination = PAGINATORS.get(service, {}) | read_with_extras(newest, "paginators-1").get("pagination", {})
    missing = sorted(operations - model["operations"].keys())
    if missing:
        sys.exit(f"service `{service}` has no operation {', '.join(f'`{name}`' for name in missing)}")
    kept, todo = set(), [shape for name in operations for shape in references(model["operations"][name])]
    while todo:
        shape = todo.pop()
        if shape not in kept:
            kept.add(shape)
            todo.extend(references(model["shapes"][shape]))
    return {
        "metadata": without_prose(model["metadata"]),
        "operations": {name: without_prose(model["operations"][name]) for name in operations},
        "shapes": {name: without_prose(model["shapes"][name]) for name in kept},
        "pagination": {name: pagination[name] for name in operations if name in pagination},
        "rules": drop_documentation(read(newest / "endpoint-rule-set-1")),
    }


def drop_documentation(value):
    if isinstance(value, list):
        return [drop_documentation(item) for item in value]
    if isinstance(value, dict):
        return {key: drop_documentation(item) for key, item in value.items() if key != "documentation"}
    return value


def botocore_version(data):
    text = (data.parent / "__init__.py").read_text(encoding="utf-8")
    return re.search(r"__version__ = '([^']+)'", text).group(1)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--data", type=pathlib.Path, required=True)
    options.add_argument("--catalog", type=pathlib.Path, required=True)
    options.add_argument("--output", type=pathlib.Path, required=True)
    options = options.parse_args()

    named = named_operations(options.catalog)
    services = sorted(named)
    header = {"format": "vouch-models 1", "botocore": botocore_version(options.data), "services": services,
              "partitions": read(options.data / "partitions")}
    values = [header] + [compact(service, named[service], options.data) for service in services]
    text = "".join(json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n" for value in values)
    temporary = f"{options.output}.{os.getpid()}"
    packed = text.encode()
    subprocess.run(["zstd", "-q", "-f", "-19", f"--stream-size={len(packed)}", "-o", temporary], input=packed, check=True)
    os.replace(temporary, options.output)


main()
