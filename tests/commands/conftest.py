"""A training run that is small enough for a test."""

import pytest
from mmdet.visualization import DetLocalVisualizer
from mmengine.logging import MessageHub, MMLogger


@pytest.fixture
def small(repo, shapes_root, tmp_path):
    """Arguments for the demo's config: 2 images a step, no workers, own folders."""
    config = str(repo / 'configs/frcnn_r18_c4_shapes.py')
    options = []
    for loader in ('train', 'val', 'test'):
        options += [f'{loader}_dataloader.{option}' for option in (
            'batch_size=2', 'num_workers=0', 'persistent_workers=False')]

    def arguments(*extra: str, work_dir: str = 'run') -> list[str]:
        return [config, *extra, '--data-root', str(shapes_root), '--work-dir',
                str(tmp_path / work_dir), '--cfg-options', *options]

    return arguments


@pytest.fixture(autouse=True)
def fresh_process():
    """mmengine keeps loggers by the second that a run began in; tests are faster."""
    yield
    for kind in (MMLogger, MessageHub, DetLocalVisualizer):
        kind._instance_dict.clear()
