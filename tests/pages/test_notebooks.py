"""The notebooks run, and show what they say they show."""

import ast
import re
import shlex

import nbformat
import pytest
from pages.listing import REPO
from run_notebooks import run

from frcnn_plugin.commands.parser import build_parser

FILES = sorted(REPO.glob('notebooks/*.ipynb'))
LEARNS = '01_what_is_an_rpn'  # whose numbers a processor may change
MINUTES = '02_your_own_data'  # of training: make notebooks
MEGABYTE = 1_000_000


def cells(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells
            if cell.cell_type == 'code']


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.stem)
def test_they_are_stored_as_they_ran(path):
    assert path.stat().st_size < MEGABYTE
    found = cells(path)
    assert [cell.execution_count for cell in found] == list(range(1, len(found) + 1))
    outputs = [output for cell in found for output in cell.outputs]
    assert not [each for each in outputs if each.output_type == 'error']
    assert any('image/jpeg' in each.get('data', {}) for each in outputs)
    assert str(REPO) not in path.read_text()


@pytest.mark.long
@pytest.mark.parametrize('path', [path for path in FILES if path.stem != MINUTES],
                         ids=lambda path: path.stem)
def test_they_run(path, monkeypatch):
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    ran = [cell for cell in run(path).cells if cell.cell_type == 'code']
    for now, then in zip(ran, cells(path), strict=True):
        assert shown(now) == shown(then)
    text, stored = ''.join(map(printed, ran)), ''.join(map(printed, cells(path)))
    if path.stem == LEARNS:
        before, after = map(float, re.search(
            r'recall .*: ([\d.]+) before, ([\d.]+) after', text).groups())
        assert before < 0.4 and after > 0.8
    else:  # shapes and counts
        assert text == stored


def printed(cell):
    """What a cell prints."""
    return ''.join(output.text for output in cell.outputs
                   if output.output_type == 'stream' and output.name == 'stdout')


def shown(cell):
    """The kinds of what a cell shows, whatever it prints."""
    return [sorted(output.data) for output in cell.outputs
            if output.output_type in ('display_data', 'execute_result')]


def test_the_commands_of_the_long_one_are_right():
    parser, lines = build_parser(), []
    for cell in cells(REPO / f'notebooks/{MINUTES}.ipynb'):
        lines += re.findall(r'^!(frcnn .*)$', cell.source, re.M)
        ast.parse(re.sub(r'^[!%].*$', '', cell.source, flags=re.M))
    assert len(lines) > 3
    for line in lines:
        words = shlex.split(re.split(r' 2?>| \|', line)[0].format(
            minutes=1, picture='a.jpg'))
        parser.parse_args(words[1:])
