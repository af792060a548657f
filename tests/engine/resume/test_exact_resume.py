"""A run that was stopped and continues is the run that was not stopped.

With real kills, workers and processes: tools/kill_and_resume.py.
"""

import json

import pytest
import torch
from mmengine.hooks import Hook

from frcnn_plugin.commands.train import train
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.registry import HOOKS

BY_ITERATION = ['train_cfg.max_iters=5', 'train_cfg.val_interval=2']
# an epoch is 2 steps of the 4 images of another split
BY_EPOCH = ['train_cfg._delete_=True', 'train_cfg.type=EpochBasedTrainLoop',
            'train_cfg.max_epochs=2', 'train_cfg.val_interval=1',
            'train_dataloader.dataset.split=val',
            'train_dataloader.dataset.allow_missing_classes=True',
            'train_dataloader.sampler.type=DefaultSampler',
            'log_processor.by_epoch=True']
BY_STEPS = ['train_cfg.steps=[2,2,2,2]', 'train_cfg.val_interval=3']
SHAPES, FOUR = 'frcnn_r18_c4_shapes', 'frcnn_r18_c4_alternating_shapes'


@HOOKS.register_module()
class StopBefore(Hook):
    """Ends a run in the middle, as a kill does."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    def before_train_iter(self, runner, batch_idx, data_batch=None) -> None:
        if runner.iter == self.iteration:
            raise KeyboardInterrupt


def outcome(folder) -> tuple[dict, dict]:
    """The last checkpoint, and the losses of every step that any of the runs took."""
    path = (folder / 'last_checkpoint').read_text()
    losses: dict = {}
    for file in sorted(folder.glob('*/vis_data/scalars.json')):
        for line in file.read_text().splitlines():
            row = json.loads(line)
            if 'loss' in row:
                losses.setdefault(row['step'], set()).add(row['loss'])
    return load_weights_only(path), losses


def assert_equal(found, expected, where=''):
    if isinstance(expected, torch.Tensor):
        assert torch.equal(found, expected), where
    elif isinstance(expected, dict):
        assert found.keys() == expected.keys(), where
        for key in expected:
            assert_equal(found[key], expected[key], f'{where}.{key}')
    elif isinstance(expected, (list, tuple)):
        assert len(found) == len(expected), where
        for i, pair in enumerate(zip(found, expected, strict=True)):
            assert_equal(*pair, f'{where}.{i}')
    else:
        assert found == expected, where


@pytest.mark.parametrize(('config', 'options', 'stops'), [
    pytest.param(SHAPES, BY_ITERATION, (2, 4), id='iterations'),
    pytest.param(SHAPES, BY_EPOCH, (3,), id='epochs', marks=pytest.mark.long),
    pytest.param(SHAPES, [*BY_ITERATION[:1], 'optim_wrapper.accumulative_counts=2',
              'train_cfg.val_interval=1', 'default_hooks.ema.type=EMAHook',
              'default_hooks.ema.momentum=0.3'], (3,),
                 id='gradients of two, averaged weights', marks=pytest.mark.long),
    pytest.param(FOUR, BY_STEPS, (1, 2, 3, 5, 7), id='four steps',
                 marks=pytest.mark.long)])
def test_bit_for_bit(small, tmp_path, config, options, stops):
    settings = [
        *options, 'default_hooks.checkpoint.interval=1', 'log_processor.window_size=1',
        'default_hooks.logger.interval=1', 'param_scheduler.0.end=2',
        'param_scheduler.1.begin=2', 'default_hooks.visualization.max_pictures=1',
        'model.rpn_head.feat_channels=32',
        'model.roi_head.bbox_head.fc_channels=[32,32]']
    train([*small('--seed', '3', work_dir='whole', config=config), *settings])
    stop = ['default_hooks.stop.type=StopBefore', 'default_hooks.stop.iteration=']
    for number, at in enumerate(stops):
        # without --seed: the run that continues keeps its own
        start = ['--resume'] if number else ['--seed', '3']
        with pytest.raises(KeyboardInterrupt):
            train([*small(*start, work_dir='parts', config=config), *settings, stop[0],
                   f'{stop[1]}{at}'])
    train([*small('--resume', work_dir='parts', config=config), *settings])
    expected, losses = outcome(tmp_path / 'whole')
    found, other_losses = outcome(tmp_path / 'parts')
    assert losses == other_losses and all(len(each) == 1 for each in losses.values())
    for part in ('state_dict', 'optimizer', 'param_schedulers'):
        assert_equal(found[part], expected[part], part)
    best = [each['message_hub']['runtime_info'].get('best_score')
            for each in (found, expected)]
    assert best[0] == best[1] is not None
