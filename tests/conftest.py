"""What several tests share: the scope, small data sets, small detectors."""

import logging
import os
from pathlib import Path

os.environ.setdefault('CUDA_VISIBLE_DEVICES', '')

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

import frcnn_plugin  # noqa: F401 - registers everything
from frcnn_plugin.datasets.make_shapes import make_shapes

REPO = Path(__file__).resolve().parent.parent


@pytest.fixture(autouse=True)
def scope_and_seed():
    """Our scope for every test, and the same random numbers in each run."""
    torch.manual_seed(0)
    np.random.seed(0)
    with DefaultScope.overwrite_default_scope('frcnn_plugin'):
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
