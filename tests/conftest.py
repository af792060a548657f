"""What several tests share: the scope, small data sets, small detectors."""

import gc
import logging
import multiprocessing
import os
import shutil
from multiprocessing.pool import ThreadPool
from pathlib import Path

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np
import pytest
import torch
from filelock import FileLock
from mmengine.logging import MessageHub, MMLogger
from mmengine.registry import DefaultScope
from mmengine.visualization import Visualizer

import frcnn_plugin  # noqa: F401 - registers everything
from frcnn_plugin.commands.train import train
from frcnn_plugin.prepare.make_shapes import make_shapes

REPO = Path(__file__).resolve().parent.parent
NARROW = ['model.rpn_head.feat_channels=32',
          'model.roi_head.bbox_head.fc_channels=[32,32]']


def pytest_addoption(parser) -> None:
    parser.addoption('--write-docs', action='store_true',
                     help='bring the tables of docs/ that tests make up to date')


@pytest.fixture(autouse=True)
def scope_and_seed():
    """Our scope for every test, and the same random numbers in each run."""
    torch.manual_seed(0)
    np.random.seed(0)
    with DefaultScope.overwrite_default_scope('frcnn_plugin'):
        yield


@pytest.fixture(autouse=True, scope='module')
def imported_is_no_garbage():
    """Each data set collects garbage, for half a second among all that is imported.

    Workers of loaders that are garbage are ended first: each would be waited for.
    """
    for worker in multiprocessing.active_children():
        worker.terminate()
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope='session')
def plain_configs():
    """mmengine formats a config five times a run, for longer than a small run takes.

    Commands that tests start as processes of their own do it all the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmengine.config.config.FormatCode',
                      lambda text, **options: (text, False), raising=False)
        yield


@pytest.fixture(autouse=True, scope='session')
def threads_for_scores():
    """mmdet forks four processes for the scores of a few images: seconds a run.

    Commands that tests start as processes of their own do it all the same.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr('mmdet.evaluation.functional.mean_ap.Pool', ThreadPool)
        yield


@pytest.fixture(scope='session')
def shapes_root(tmp_path_factory) -> Path:
    """A small data set in VOC layout."""
    root = tmp_path_factory.mktemp('data') / 'shapes'
    make_shapes(root, dict(train=24, val=4, test=6), seed=1)
    return root


@pytest.fixture(scope='session')
def repo() -> Path:
    return REPO


@pytest.fixture
def capture_log():
    """What mmengine's current logger wrote during a test."""
    records: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: records.append(record.getMessage())
    logger = MMLogger.get_current_instance()
    logger.addHandler(handler)
    yield lambda: '\n'.join(records)
    logger.removeHandler(handler)


@pytest.fixture
def small(repo, shapes_root, tmp_path, fresh_process):
    """Arguments for a command on the shapes: 2 images a step, no workers.

    The heads of the demo's detector are narrow: a checkpoint is a third smaller.
    """
    options = []
    for loader in ('train', 'val', 'test'):
        options += [f'{loader}_dataloader.{option}' for option in (
            'batch_size=2', 'num_workers=0', 'persistent_workers=False')]

    def arguments(*extra: str, work_dir: str = 'run', report: bool = False,
                  config: str = 'frcnn_r18_c4_shapes') -> list[str]:
        return [str(repo / f'configs/{config}.py'), *extra, '--data-root',
                str(shapes_root), '--work-dir', str(tmp_path / work_dir),
                '--cfg-options', *options, *(NARROW if 'r18' in config else []),
                *([] if report else ['default_hooks.report=None'])]  # saves seconds

    return arguments


@pytest.fixture
def fresh_process():
    """mmengine keeps loggers by the second that a run began in; tests are faster."""
    yield
    for kind in (MMLogger, MessageHub, *Visualizer.__subclasses__()):
        kind._instance_dict.clear()


@pytest.fixture(scope='session')
def translated_once():
    """A detector that several files are made of is translated for the first: 11 s."""
    from frcnn_plugin.export import to_onnx
    known, translate = {}, to_onnx.in_onnx

    def in_onnx(graph):
        state = graph.state_dict()
        key = (repr(graph), str(graph.resize), str(graph.detector.roi_head.test_cfg),
               *(part.double().sum().item() for part in state.values()))
        if key not in known:
            known[key] = translate(graph)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(to_onnx, 'in_onnx', in_onnx)
        yield


@pytest.fixture(scope='session')
def kept(tmp_path_factory) -> Path:
    """A folder for what is made once, by all processes of the tests."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if 'PYTEST_XDIST_WORKER' in os.environ else base) / 'kept'
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def checkpoint(kept, small, tmp_path) -> str:
    """Of the smallest detector that has every part, after one step on the shapes."""
    stored, path = kept / 'iter_1.pth', tmp_path / 'run/iter_1.pth'
    with FileLock(kept / 'iter_1.lock'):
        if not stored.exists():
            train(small('--max-iters', '1', '--seed', '0'))
            path.rename(stored)
    path.parent.mkdir(exist_ok=True)
    shutil.copyfile(stored, path)
    return str(path)
