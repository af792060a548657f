"""The table of models is made from their runs, and from nothing else."""

import json
import sys
from pathlib import Path

import model_table
import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / 'docs/models.md'
MARKS = ''.join(f'<!-- {name} -->\nby hand\n<!-- end of {name} -->\n'
                for name in ('models', 'commands'))


@pytest.fixture
def table(monkeypatch):
    """Runs the command."""
    def table(page: Path, *runs: str) -> None:
        monkeypatch.setattr(sys, 'argv', ['model_table.py', *runs, '--page', str(page)])
        model_table.main()
    return table


def test_the_page_is_what_the_command_writes(table, tmp_path):
    (tmp_path / 'models').symlink_to(PAGE.parent / 'models')
    page = tmp_path / PAGE.name
    page.write_text(PAGE.read_text())
    table(page)
    assert page.read_text() == PAGE.read_text()


@pytest.fixture
def run(tmp_path):
    """The work dir of a run that was killed, resumed from a checkpoint, and tested."""
    run = tmp_path / 'run'
    for part, steps, end in ((1, range(1, 451), '{"loss": 0.'),
                             (2, range(401, 1001), '{"coco/AP": 0.2, "step": 1000}\n')):
        folder = run / f'2026010{part}_000000/vis_data'
        folder.mkdir(parents=True)
        (folder / 'config.py').write_text(
            f'data_root = "{Path.cwd()}/data"\n' if part == 1 else 'resume = True\n')
        (folder / 'scalars.json').write_text(''.join(
            json.dumps(dict(loss=part / step, lr=0.1, data_time=0.01, step=step)) + '\n'
            + ('{"coco/AP": 0.1, "step": 400}\n' if step == 400 else '')
            for step in steps) + end)
    test = run / '20260103_000000/vis_data'
    test.mkdir(parents=True)
    (test / 'scalars.json').write_text('{"coco/AP": 0.4, "step": 0}\n')
    for folder in (test, run):
        (folder / 'config.py').write_text('test_cfg = dict()\n')
    (run / 'metrics.json').write_text(json.dumps(dict(
        AP=0.4567, AP50=0.81, all={}, command='frcnn test run/detector.pth',
        training=dict(
            command='frcnn train shapes --seed 3', config='shapes.py', seed=3,
            steps=1000, images=2000, seconds=605.2, memory_mib=1234,
            precision='float32', hardware='2 threads', date='2026-01-02'))))
    return run


def test_a_run_becomes_a_row(table, run, tmp_path):
    page = tmp_path / 'models.md'
    page.write_text(f'# Models\n\n{MARKS}\nafter\n')
    table(page, f'one={run}')
    text = page.read_text()
    assert 'by hand' not in text and text.endswith('\nafter\n')
    row, commands = [line for line in text.splitlines() if line.startswith('| one ')]
    assert commands == ('| one | `frcnn train shapes --seed 3`<br>'
                        '`frcnn test run/detector.pth` |')
    for cell in ('| 0.457 | 0.810 |', '1000 steps, 2000 images, float32',
                 '10 min 05 s', '1234 MiB', '2026-01-02'):
        assert cell in row
    one = tmp_path / 'models/one'
    assert (one / 'config.py').read_text() == 'data_root = "data"\n'
    lines = [json.loads(line) for line in
             (one / 'curve.jsonl').read_text().splitlines()]
    assert [(line['step'], line['coco/AP']) for line in lines if 'coco/AP' in line] == [
        (400, 0.1), (1000, 0.2)]
    losses = {line['step']: line['loss'] for line in lines if 'loss' in line}
    assert len(losses) == 100 and losses[450] == pytest.approx(2 / 450, abs=1e-5)


def test_a_run_that_was_not_tested(table, run, tmp_path):
    (run / 'metrics.json').unlink()
    page = tmp_path / 'models.md'
    page.write_text(MARKS)
    with pytest.raises(SystemExit, match='first run: frcnn test'):
        table(page, f'one={run}')
    assert page.read_text() == MARKS and not (tmp_path / 'models').exists()
