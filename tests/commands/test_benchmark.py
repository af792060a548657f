"""The benchmark, at a size at which it says nothing about speed."""

import json
import re
import subprocess
import sys
from argparse import Namespace
from contextlib import redirect_stdout
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from frcnn_plugin.prepare.make_shapes import make_shapes
from frcnn_plugin.prepare.shapes import CLASSES

ROOT = Path(__file__).resolve().parents[2]
SMALL = ['--size', '128', '160', '--batch', '1', '--regions', '8', '--proposals', '16',
         '--repeat', '1']


@pytest.fixture
def benchmark(monkeypatch, capfd):
    """Runs the script in this process, for most of its time it would be starting up.

    The operations that tell the best rate are tiny.
    """
    rate = import_module('benchmarks.rate')
    monkeypatch.setattr(rate, 'OPERATIONS', [
        rate.Operation('a product', (64, 64, 1, 1), 64),
        rate.Operation('a convolution', (2, 16, 7, 7), 16, 3)])
    monkeypatch.setattr(rate, 'ENOUGH', 0.0)

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
    pytest.param('inference', 'torchvision R50-FPN', marks=pytest.mark.long),
    pytest.param('training', 'mmdet R50-C4', marks=pytest.mark.long),
    ('targets', 'mmdet R50-C4')])
def test_both_agree_and_are_timed(benchmark, tmp_path, task, peer):
    out = tmp_path / 'figures.json'
    shown = benchmark(task, '--peer', peer, '--boxes', 3, '--json', out, *SMALL)
    assert not shown.status, shown
    assert 'differ by at most' in shown.out and 'of the best' in shown.out
    figures = json.loads(out.read_text())
    ours, theirs = figures['results']
    assert bool(figures['rate']) == (task != 'targets')  # nothing is multiplied there
    assert not figures['rate'] or re.match(
        r'fp32, a (product|convolution), (torch|OpenVINO)', figures['rate_of'])
    for each in (ours, theirs):
        assert each['median'] > 0 and 2**28 < each['memory'] < 2**34
    if task == 'targets':
        assert ours['waits'] == 1 < theirs['waits']  # the kernel of suppression
    if task in ('inference', 'training'):
        assert 0 < ours['flops'] <= theirs['flops']
        for each in (ours, theirs):
            speed = each['flops'] / each['median']
            assert each['share'] == pytest.approx(speed / figures['rate'])


def test_the_best_rate_is_that_of_the_fastest(monkeypatch):
    rate = import_module('benchmarks.rate')
    seconds = dict(one=2.0, another=0.5, third=1.0)
    monkeypatch.setattr(rate, 'OPERATIONS', [rate.Operation('a', (2, 3, 5, 7), 11, 3)])
    monkeypatch.setattr(rate, 'ways', lambda *_: (
        (name, lambda name=name: name) for name in seconds))
    monkeypatch.setattr(rate, 'seconds_of', lambda device, run: seconds[run()])
    best = rate.BestRate(Namespace(device='cpu', precision='fp32'))
    assert str(best) == 'fp32, a, another'
    assert best.rate([0.5, 0.5, 9.0]) == 4 * (2 * 3 * 5 * 7 * 11 * 9)


@pytest.mark.parametrize('precision', ['fp32', 'bf16', 'int8'])
def test_operations_through_every_library(precision):
    rate = import_module('benchmarks.rate')
    precision = rate.precision_of(Namespace(device='cpu', precision=precision))
    libraries = set()
    for shape, kernel in (((64, 16, 1, 1), 1), ((2, 16, 7, 7), 1), ((2, 16, 7, 7), 3)):
        operation = rate.Operation('', shape, 8, kernel)
        for library, run in rate.ways(operation, 'cpu', precision):
            libraries.add(library)
            if 'torch' in library:
                assert run().numel() == shape[0] * shape[2] * shape[3] * 8
            else:
                assert run()[0].shape == (shape[0], 8, *shape[2:])
    assert ('OpenVINO' in libraries) == bool(find_spec('openvino'))
    assert len(libraries) >= 4 or precision == 'int8'


@pytest.mark.parametrize(('tolerated', 'status'), [(0.0, 1), (float('inf'), 0)])
def test_a_slow_kernel_that_is_in_use_is_told(benchmark, monkeypatch, tmp_path,
                                              tolerated, status):
    monkeypatch.setattr(import_module('benchmarks.kernels'), 'SLOWER', tolerated)
    out = tmp_path / 'figures.json'
    shown = benchmark('convolution', '--json', out, *SMALL)
    assert shown.status == status, shown
    assert ('the slower one is in use: convolution 3x3, 64' in shown.out) == status
    rows = json.loads(out.read_text())['rows']
    assert len(rows) == 8 and all(row['plain_share'] > 0 for row in rows)


@pytest.mark.parametrize('faster', [
    pytest.param(True, marks=pytest.mark.long), False])
def test_which_kernel_is_in_use(benchmark, monkeypatch, tmp_path, faster):
    monkeypatch.setattr(import_module('benchmarks.alternatives'), 'products_are_faster',
                        lambda *_: faster)
    monkeypatch.setattr(import_module('benchmarks.kernels'), 'SLOWER', float('inf'))
    out = tmp_path / 'figures.json'
    only = [] if faster else ['--only', '3x3, 64']
    shown = benchmark('kernels', *only, '--json', out, *SMALL)
    assert not shown.status, shown
    rows = json.loads(out.read_text())['rows']
    assert len(rows) == len(import_module('benchmarks.alternatives').ALTERNATIVES
                            ) if faster else len(rows) == 1
    assert all(row['in_use'] == ('convolution' not in row['name'] or faster)
               for row in rows)


def test_kernels_that_differ(benchmark, monkeypatch):
    alternatives = import_module('benchmarks.alternatives')
    monkeypatch.setitem(
        alternatives.ALTERNATIVES, 'one that is wrong', lambda args: alternatives.Pair(
            lambda: torch.ones(2), lambda: torch.zeros(2), True))
    shown = benchmark('kernels', '--only', 'wrong', *SMALL)
    assert 'this would time different work' in shown.status
    shown = benchmark('kernels', '--only', 'pooling', *SMALL)
    assert shown.status.startswith('error: --only pooling: no kernel has that in its ')


@pytest.mark.long
def test_other_runtimes(benchmark, monkeypatch, tmp_path):
    """Real detectors, which take a while to become files: one of them is tried."""
    rows = import_module('benchmarks.runtime_rows')
    monkeypatch.setattr(rows, 'has_bfloat16', lambda: False)
    present = rows.find_spec
    monkeypatch.setattr(rows, 'find_spec', lambda name: None if name == 'nncf'
                        else present(name))
    second = 'frcnn export --to openvino, fp32'  # another file, made the same way
    module, every = import_module('benchmarks.runtimes'), rows.rows_of
    monkeypatch.setattr(module, 'rows_of', lambda *args: {
        name: make for name, make in every(*args).items() if name != second})
    out = tmp_path / 'figures.json'
    shown = benchmark('runtimes', '--models', 'c4_pool', '--json', out, *SMALL)
    assert not shown.status, shown
    figures = json.loads(out.read_text())['detectors']['c4_pool']
    assert figures['proposals'] == 16 and figures['flops'] > 1e9
    rows = figures['rows']
    assert rows['ours, for_inference, bf16']['lacking'] == (
        'the processor has no bfloat16')
    assert rows['ours, for_inference, fp32']['ratio'] == 1
    assert rows['plain ONNX file, onnxruntime, fp32']['median'] > 0
    openvino = rows['frcnn export --to openvino, int8']['lacking']
    if find_spec('openvino'):
        assert openvino == 'nncf is not installed'
        assert rows['plain ONNX file, OpenVINO, fp32']['share'] > 0
    else:
        assert openvino == 'openvino is not installed'


def test_another_runtime_that_detects_something_else(benchmark, monkeypatch):
    module = import_module('benchmarks.runtimes')
    rows_of = module.rows_of

    def moved(*args):
        name, make = next(iter(rows_of(*args).items()))

        def run(image):
            boxes, *others = make()(image)
            return boxes + 0.01, *others
        return {name: lambda: run}
    monkeypatch.setattr(module, 'rows_of', moved)
    shown = benchmark('runtimes', '--models', 'c4_align', *SMALL)
    assert 'boxes, pixels, differ by 1' in shown.status


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


@pytest.mark.long
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
        small = [f'{part}_dataloader.batch_size=2' for part in ('train', 'val', 'test')]
        with redirect_stdout(options['stdout']):
            getattr(import_module(f'frcnn_plugin.commands.{name}'), name)(
                [*words[2:], '--cfg-options', 'default_hooks.report=None', *small])
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
