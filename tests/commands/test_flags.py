"""Below ``commands/`` nothing knows flags or the names of commands."""

import ast
import re
from pathlib import Path

import pytest

import frcnn_plugin

ROOMS = sorted({path.name for path in Path(frcnn_plugin.__file__).parent.iterdir()
                if path.suffix == '.py' or (path / '__init__.py').is_file()}
               - {'commands', 'compat', '__main__.py'})  # compat says what to install
TYPED = re.compile(r'(?<![\w-])(?<!var\()--[a-z]|\bfrcnn [a-z]')  # var() is CSS's


@pytest.mark.parametrize('room', ROOMS)
def test_no_message_says_what_to_type(repo, room):
    path = repo / 'frcnn_plugin' / room
    files = sorted(path.rglob('*.py')) if path.is_dir() else [path]
    assert files
    for file in files:
        tree = ast.parse(file.read_text())
        documented = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and (
                    id(node) not in documented):
                assert not TYPED.search(node.value), f'{file}:{node.lineno}'


def docstrings(tree: ast.Module) -> set[int]:
    """The nodes that document something."""
    return {id(node.body[0].value) for node in ast.walk(tree)
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and node.body and isinstance(node.body[0], ast.Expr)}
