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
        for statement in CallsOfDict().visit(ast.parse(text)).body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=value):
                    values[name] = ast.literal_eval(value)
                case _:
                    raise ValueError(f'line {statement.lineno}')
    except (SyntaxError, ValueError, RecursionError, TypeError) as error:
        raise CheckpointError(
            f'{source}: refused, the config in it is more than plain values ({error}); '
            'pass your own config') from error
    return values


class CallsOfDict(ast.NodeTransformer):
    """Writes ``dict(name=value)`` as ``{'name': value}``, which is a literal."""

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        match node:
            case ast.Call(func=ast.Name(id='dict'), args=[], keywords=keywords) if all(
                    keyword.arg for keyword in keywords):
                return ast.Dict([ast.Constant(keyword.arg) for keyword in keywords],
                                [keyword.value for keyword in keywords])
        return node
