"""What a query may cost at most, before it runs.   (graphql/overview/rate-limits-and-query-limits-for-the-graphql-api)

Nodes: each connection can give `first` or `last`, times what stands above it; 500,000 at most. Points: the requests that its connections need, one for
each time a connection is opened, over a hundred; one at least.
"""
import graphql
from graphql.language import ast

MAXIMUM = 500_000


class TooMuch(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def measure(schema, document, variables, operation_name=None):
    """(nodes, points)"""
    fragments = {d.name.value: d for d in document.definitions if isinstance(d, ast.FragmentDefinitionNode)}
    operations = [d for d in document.definitions if isinstance(d, ast.OperationDefinitionNode)]
    operation = next((o for o in operations if operation_name and o.name and o.name.value == operation_name), operations[0])
    defaults = {d.variable.name.value: d.default_value for d in operation.variable_definitions or [] if d.default_value}
    root = schema.mutation_type if operation.operation.value == "mutation" else schema.query_type
    nodes = opened = 0

    def argument(field, name):
        for given in field.arguments or []:
            if given.name.value == name:
                value = given.value
                if isinstance(value, ast.VariableNode):
                    if value.name.value in variables:
                        return variables[value.name.value]
                    value = defaults.get(value.name.value)
                return int(value.value) if isinstance(value, ast.IntValueNode) else None
        return None

    def walk(selections, kind, times):
        nonlocal nodes, opened
        for each in selections.selections if selections else []:
            if isinstance(each, ast.FragmentSpreadNode):
                fragment = fragments[each.name.value]
                walk(fragment.selection_set, schema.type_map[fragment.type_condition.name.value], times)
            elif isinstance(each, ast.InlineFragmentNode):
                walk(each.selection_set, schema.type_map[each.type_condition.name.value] if each.type_condition else kind, times)
            else:
                definition = getattr(kind, "fields", {}).get(each.name.value)
                inner = graphql.get_named_type(definition.type) if definition else None
                if definition is None or not each.selection_set:
                    continue
                below = times
                if inner.name.endswith("Connection") and "first" in definition.args:
                    below = times * page_size(each, argument)
                    nodes, opened = nodes + below, opened + times
                walk(each.selection_set, inner, below)

    walk(operation.selection_set, root, 1)
    if nodes > MAXIMUM:
        raise TooMuch("MAX_NODE_LIMIT_EXCEEDED", f"This query requests up to {nodes:,} possible nodes which exceeds the maximum limit of 500,000.")
    return nodes, max(1, round(opened / 100))


def page_size(field, argument):
    """`first` or `last` must be there where nodes are asked for, and is a hundred at most."""
    name, first, last = field.name.value, argument(field, "first"), argument(field, "last")
    size = first if first is not None else last
    if size is None:
        asked = {s.name.value for s in field.selection_set.selections if isinstance(s, ast.FieldNode)}
        if asked & {"nodes", "edges"}:
            raise TooMuch("MISSING_PAGINATION_BOUNDARIES", f"You must provide a `first` or `last` value to properly paginate the `{name}` connection.")
        return 1
    if size > 100:
        raise TooMuch("EXCESSIVE_PAGINATION", f"Requesting {size} records on the `{name}` connection exceeds the `first` limit of 100 records.")
    if size < 0:
        raise TooMuch("ARGUMENT_LIMIT", f"`first` on the `{name}` connection cannot be less than zero.")
    return size
