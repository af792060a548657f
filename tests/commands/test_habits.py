"""What people are used to: each is mmengine's or mmdet's own, and works here.

Slurm: tests/distributed.
"""

import pytest
import torch
from mmengine.config import Config
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from frcnn_plugin.commands.train import train
from frcnn_plugin.errors import UserError
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import MODELS

TINY = ['model.rpn_head.feat_channels=32',
        'model.roi_head.bbox_head.fc_channels=[32,32]']
VALIDATE = ['train_cfg.val_interval=1', 'default_hooks.logger.interval=1']


def test_tensorboard(small, tmp_path):
    train([*small('--max-iters', '2', '--tensorboard'), *TINY, *VALIDATE])
    folder, = (tmp_path / 'run').glob('*/vis_data')
    events = EventAccumulator(str(folder))
    events.Reload()
    assert [event.step for event in events.Scalars('loss_rpn_cls')] == [1, 2]
    assert [event.step for event in events.Scalars('pascal_voc/mAP')] == [1, 2]


@pytest.mark.parametrize('tool', ['tensorboard', 'mlflow', 'wandb'])
def test_tools_that_are_not_there(tool, small, monkeypatch):
    monkeypatch.setattr('frcnn_plugin.config.changes.find_spec', lambda name: None)
    with pytest.raises(UserError, match=rf'pip install "frcnn-plugin\[{tool}\]"'):
        train(small('--max-iters', '1', f'--{tool}'))


def test_early_stopping(small, tmp_path):
    hook = 'default_hooks.early_stopping.'
    train([*small(), *TINY, *VALIDATE, 'train_cfg.max_iters=20', 'param_scheduler=None',
           'optim_wrapper.optimizer.lr=0.0', f'{hook}type=EarlyStoppingHook',
           f'{hook}monitor=pascal_voc/mAP', f'{hook}patience=2'])
    last = load_weights_only((tmp_path / 'run/last_checkpoint').read_text())
    assert last['meta']['iter'] == 3  # the first is the best, two are no better


def test_averaged_weights_are_those_of_the_checkpoint(small, tmp_path):
    hook = 'default_hooks.ema.'
    train([*small('--max-iters', '2', '--seed', '0'), *TINY, f'{hook}type=EMAHook',
           f'{hook}momentum=0.25', 'default_hooks.checkpoint.interval=1'])
    first, second = (load_weights_only(tmp_path / f'run/iter_{i}.pth')
                     for i in (1, 2))
    name = 'rpn_head.rpn_cls.weight'
    raw = second['ema_state_dict'][f'module.{name}']
    torch.testing.assert_close(
        second['state_dict'][name], 0.75 * first['state_dict'][name] + 0.25 * raw)


def test_multi_scale_training(repo, small, tmp_path, monkeypatch):
    seen = set()
    built = MODELS.get('FasterRCNN')
    extract = built.extract_feat
    monkeypatch.setattr(built, 'extract_feat', lambda self, images: (
        seen.add(tuple(images.shape[-2:])), extract(self, images))[1])
    base = Config.fromfile(repo / 'configs/frcnn_r18_c4_shapes.py')
    steps = base.train_pipeline
    steps.insert(2, dict(type='RandomChoiceResize', keep_ratio=True,
                         scales=[(160, 96), (320, 192), (480, 288)]))
    config = tmp_path / 'scales.py'
    config.write_text(f"_base_ = '{repo}/configs/frcnn_r18_c4_shapes.py'\n"
                      f'train_dataloader = dict(dataset=dict(pipeline={steps}))\n')
    train([str(config), *small('--max-iters', '6', '--seed', '0')[1:], *TINY])
    assert len({max(size) for size in seen}) == 3
