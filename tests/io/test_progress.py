"""Where no bar can be drawn, lines tell how far the work is."""

import io

import pytest
from rich.console import Console

from frcnn_plugin.io import progress as module
from frcnn_plugin.io.progress import bars, progress


@pytest.fixture
def clock(monkeypatch):
    """Each look at the time takes a second."""
    now = iter(range(10_000))
    monkeypatch.setattr(module.time, 'monotonic', lambda: float(next(now)))


def test_lines_in_a_log(clock, capsys):
    assert list(progress(range(100), 'some [bold]work')) == list(range(100))
    lines = [line for line in capsys.readouterr().err.splitlines() if ' of 100' in line]
    assert 3 <= len(lines) <= 20
    assert lines[0].startswith('some [bold]work: ') and ' left' in lines[-1]


def test_without_a_total(clock, capsys):
    with bars() as bar:
        task = bar.add_task('pictures', total=None)
        for _ in range(30):
            bar.advance(task, 4)
        bar.update(task, total=1000)
        for _ in range(30):
            bar.advance(task, 4)
    said = capsys.readouterr().err
    assert 'pictures: ' in said and 'of 1,000' in said


def test_a_terminal_has_a_bar_and_no_lines(clock, monkeypatch):
    text = io.StringIO()
    monkeypatch.setattr(module, 'Console', lambda **options: Console(
        file=text, force_terminal=True, width=80))
    assert len(list(progress(range(100), 'work'))) == 100
    assert ' of 100' not in text.getvalue() and '100%' in text.getvalue()


def test_few_are_quiet(clock, capsys):
    assert len(list(progress(range(100), 'work', quiet=100))) == 100
    assert capsys.readouterr().err == ''
