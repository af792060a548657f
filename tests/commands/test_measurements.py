"""The tools whose tables are in docs/, so small that they only show that they run.

Of the benchmark: test_benchmark.py; of the fuzzing: tests/datasets/. A resumed run
without processes and kills: engine/resume/test_exact_resume.py.
"""

import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.long


@pytest.fixture
def page(tmp_path):
    """A page with room for each table."""
    file = tmp_path / 'page.md'
    file.write_text(''.join(f'<!-- {name} -->\n<!-- end of {name} -->\n'
                            for name in ('overfit', 'kills', 'soak')))
    return file


@pytest.fixture
def run(page, monkeypatch, capsys):
    """Runs a tool here; what it trains, it trains in processes of its own."""
    def run(tool: str, *options) -> tuple[int, str, list[list[str]]]:
        """The status, what was printed, and the rows of the table that was written."""
        monkeypatch.setattr(sys, 'argv', list(map(
            str, [f'{tool}.py', '--write', page, *options])))
        status = import_module(tool).main()
        rows = [line.strip('| \n').split(' | ') for line in
                page.read_text().splitlines() if line.startswith('|')][2:]
        return status, capsys.readouterr().out, rows
    return run


def test_overfit(run, tmp_path):
    """One step teaches nothing, and it says so."""
    status, shown, rows = run(
        'overfit', ROOT / 'configs/frcnn_r18_c4_shapes.py', '--steps', 1,
        '--work-dir', tmp_path / 'work')
    assert status == 1 and 'after 1 steps' in shown
    (name, steps, score), = rows
    assert (name, steps) == ('`frcnn_r18_c4_shapes.py`', '1') and float(score) < 0.95


def test_kill_and_resume(run):
    status, shown, rows = run('kill_and_resume', '--kills', 1, '--passes', 2, '--only',
                              'iterations, no workers')
    assert status == 0, shown
    assert rows[0][-3:] == ['24', 'equal', 'equal']


def test_soak(run):
    """The memory of so few steps may well grow."""
    _, shown, rows = run('soak', '--steps', 30)
    assert 'growth after the first tenth: median' in shown
    assert len(rows) == 10 and all(float(row[-1]) > 300 for row in rows)
