"""Reads the text of a config as data: nothing in it is run.

mmengine's own readers run such a text, which a checkpoint of a stranger may carry.
"""

import ast

from ..errors import CheckpointError


def read_config_text(text: str, source: str) -> dict:
    """The values of a config.

    Args:
        text: Assignments of numbers, strings, lists, tuples, dicts and ``dict(...)``.
        source: Where it was read from, for messages.

    Raises:
        CheckpointError: If it holds anything else.
    """
    values = {}
    try:
        for statement in ast.parse(text).body:
            if not isinstance(statement, ast.Assign) or len(statement.targets) != 1 or (
                    not isinstance(statement.targets[0], ast.Name)):
                raise ValueError(f'line {statement.lineno}')
            values[statement.targets[0].id] = literal(statement.value)
    except (SyntaxError, ValueError, RecursionError, TypeError) as error:
        raise CheckpointError(
            f'{source}: refused, the config in it is more than plain values ({error}); '
            'pass your own config') from error
    return values


def literal(node: ast.expr) -> object:
    """A plain value; raises ValueError for anything that would have to be run."""
    match node:
        case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(
                keyword.arg for keyword in keywords):
            return {keyword.arg: literal(keyword.value) for keyword in keywords}
        case ast.Dict(keys=keys, values=values) if None not in keys:
            return {literal(key): literal(value)
                    for key, value in zip(keys, values, strict=True)}
        case ast.List(elts=items):
            return [literal(item) for item in items]
        case ast.Tuple(elts=items):
            return tuple(literal(item) for item in items)
        case _:
            return ast.literal_eval(node)
