"""The table of models is made from their runs, and from nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/models.md'
MARKS = '<!-- models -->\nby hand\n<!-- end of models -->\n'


def table(page: Path, *runs: str) -> subprocess.CompletedProcess:
    """Run the command."""
    return subprocess.run(
        [sys.executable, ROOT / 'tools/model_table.py', *runs, '--page', page],
        capture_output=True, text=True, check=False)


def test_the_page_is_what_the_command_writes(tmp_path):
    (tmp_path / 'models').symlink_to(PAGE.parent / 'models')
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text())
    assert table(page).returncode == 0
    assert page.read_text() == PAGE.read_text()


@pytest.fixture
def run(tmp_path):
    """The work dir of a run that was trained twice as long after a kill, and tested."""
    run = tmp_path / 'run'
    for part in (1, 2):
        log = run / f'2026010{part}_000000/vis_data/scalars.json'
        log.parent.mkdir(parents=True)
        log.write_text(''.join(
            json.dumps(dict(loss=1 / step, lr=0.1, data_time=0.01, step=step)) + '\n'
            for step in range(500 * part - 499, 500 * part + 1))
            + json.dumps({'coco/AP': 0.1 * part, 'step': 500 * part}) + '\n')
    (run / 'shapes.py').write_text('model = dict()\n')
    (run / 'metrics.json').write_text(json.dumps(dict(
        AP=0.4567, AP50=0.81, all={}, command='frcnn test run/detector.pth',
        training=dict(
            command='frcnn train shapes --seed 3', config='shapes.py', seed=3,
            steps=1000, images=2000, seconds=605.2, memory_mib=1234,
            precision='float32', hardware='2 threads', date='2026-01-02'))))
    return run


def test_a_run_becomes_a_row(run, tmp_path):
    page = tmp_path / 'models.md'
    page.write_text(f'# Models\n\n{MARKS}\nafter\n')
    said = table(page, f'one={run}')
    assert said.returncode == 0, said.stderr
    text = page.read_text()
    assert 'by hand' not in text and text.endswith('\nafter\n')
    row = next(line for line in text.splitlines() if line.startswith('| **one**'))
    for cell in ('`frcnn train shapes --seed 3`', '`frcnn test run/detector.pth`',
                 '| 0.457 | 0.810 |', '1000 steps, 2000 images, float32',
                 '10 min 05 s', '1234 MiB', '2026-01-02'):
        assert cell in row
    lines = [json.loads(line) for line in
             (tmp_path / 'models/one/curve.jsonl').read_text().splitlines()]
    assert [line['step'] for line in lines if 'coco/AP' in line] == [500, 1000]
    losses = [line for line in lines if 'loss' in line]
    assert len(losses) == 100 and losses[-1] == dict(step=1000, loss=0.001, lr=0.1)


def test_a_run_that_was_not_tested(run, tmp_path):
    (run / 'metrics.json').unlink()
    page = tmp_path / 'models.md'
    page.write_text(MARKS)
    said = table(page, f'one={run}')
    assert said.returncode == 1 and 'first run: frcnn test' in said.stderr
    assert page.read_text() == MARKS and not (tmp_path / 'models').exists()
