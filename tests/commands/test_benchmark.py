"""The benchmark, at a size at which it says nothing about speed."""

import json
import subprocess
import sys
from contextlib import redirect_stdout
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest

from frcnn_plugin.prepare.make_shapes import make_shapes
from frcnn_plugin.prepare.shapes import CLASSES

ROOT = Path(__file__).resolve().parents[2]
SMALL = ['--size', '128', '160', '--batch', '1', '--regions', '8', '--proposals', '16',
         '--repeat', '1']


@pytest.fixture
def benchmark(monkeypatch, capfd):
    """Runs the script in this process, for most of its time it would be starting up."""
    def run(*options) -> SimpleNamespace:
        monkeypatch.chdir(ROOT)
        monkeypatch.setattr(sys, 'argv', ['benchmark.py', *map(str, options)])
        status = 0
        try:
            import_module('benchmark').main()
        except SystemExit as end:
            status = end.code
        return SimpleNamespace(status=status, out=capfd.readouterr().out)

    return run


@pytest.fixture(scope='module')
def data(tmp_path_factory):
    root = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(root, dict(train=6, val=2, test=2))
    return ['--data-root', str(root), '--classes', *CLASSES]


@pytest.mark.parametrize(('task', 'peer'), [
    ('inference', 'torchvision R50-FPN'), ('training', 'mmdet R50-C4'),
    ('targets', 'mmdet R50-C4'), ('convolution', 'mmdet R50-C4')])
def test_both_agree_and_are_timed(benchmark, tmp_path, task, peer):
    out = tmp_path / 'figures.json'
    shown = benchmark(task, '--peer', peer, '--boxes', 3, '--json', out, *SMALL)
    assert not shown.status, shown
    assert 'differ by at most' in shown.out and 'of the matrix' in shown.out
    figures = json.loads(out.read_text())
    ours, theirs = figures['results']
    for each in (ours, theirs):
        assert each['median'] > 0 and 2**28 < each['memory'] < 2**34
    if task == 'targets':
        assert ours['waits'] == 1 < theirs['waits']  # the kernel of suppression
    if task in ('inference', 'training'):
        assert 0 < ours['flops'] <= theirs['flops']


def test_the_loader_beside_a_step(benchmark, tmp_path, data):
    out = tmp_path / 'figures.json'
    shown = benchmark('loading', '--config', 'configs/frcnn_r18_c4_shapes.py', *data,
                      '--batch', 2, '--workers', 1, '--repeat', 2, '--json', out)
    assert not shown.status, shown
    loader, step = json.loads(out.read_text())['results']
    assert loader['flops'] == 0 < step['flops'] and loader['median'] > 0


def test_a_sweep(benchmark, tmp_path):
    out = tmp_path / 'figures.json'
    shown = benchmark('sweep', '--axes', 'boxes', '--values', 3, *SMALL, '--json', out)
    assert not shown.status, shown
    rows = json.loads(out.read_text())['rows']
    assert [(row['axis'], row['value']) for row in rows] == [('boxes', 3)]
    assert all(each['median'] > 0 for row in rows for each in row['results'])


def test_what_can_not_be_timed(benchmark):
    shown = benchmark('training', '--peer', 'torchvision R50-FPN')
    assert shown.status == 'error: training is compared with mmdet only'


def test_the_report_of_a_gpu(tmp_path, data, monkeypatch, fresh_process):
    """On the CPU, and small: the parts run, one that fails does not end it.

    The benchmarks in processes of their own; training and testing in this one.
    """
    out = tmp_path / 'report'
    command = [
        'gpu_report.py', *data, '--config', 'configs/frcnn_r18_c4_shapes.py',
        '--device', 'cpu', '--small', '--no-compile', '--max-iters', '2', '--out', out,
        '--work-dir', tmp_path / 'work']
    start = subprocess.run

    def run(words, **options):
        name = Path(words[1]).stem
        if name not in ('train', 'test'):
            return start(words, **options)
        with redirect_stdout(options['stdout']):
            getattr(import_module(f'frcnn_plugin.commands.{name}'), name)(words[2:])
        return SimpleNamespace(returncode=0)

    monkeypatch.setattr(import_module('gpu_report').subprocess, 'run', run)
    monkeypatch.chdir(ROOT)
    for only, status in ((['suppression', 'bccd'], 0), (['loading'], 1)):
        if status:
            command[command.index('configs/frcnn_r18_c4_shapes.py')] = 'nothing.py'
        monkeypatch.setattr(sys, 'argv', [*map(str, command), '--only', *only])
        assert import_module('gpu_report').main() == status
        figures = json.loads((out / 'figures.json').read_text())
        report = (out / 'report.md').read_text()
        if status:
            assert 'nothing.py: no such config file' in figures['loading']['failed']
            assert '**failed**' in report
        else:
            assert 0 <= figures['bccd']['mAP'] <= 1 and (out / 'curve.png').is_file()
            assert '| suppression | ours |' in report and 'iter_2.pth' in report
