"""A loss that is no number does not reach a weight."""

import pytest
import torch
from mmdet.models.detectors import BaseDetector

from frcnn_plugin.commands.train import train
from frcnn_plugin.detectors import FasterRCNN
from frcnn_plugin.errors import UserError
from frcnn_plugin.io.weights_only import load_weights_only
from frcnn_plugin.mmdet_bridge.finite_losses import FiniteLosses


@pytest.fixture
def break_loss(monkeypatch):
    """Make the loss of some steps NaN, by what goes into it."""
    def at(*steps: int, spoil: bool = False) -> None:
        parse, seen = FasterRCNN.parse_losses, []

        def parse_losses(self, losses):
            seen.append(None)
            if len(seen) in steps:
                losses = {**losses, 'loss_bbox': losses['loss_bbox'] * float('nan')}
                if spoil:
                    self.backbone.bn1.running_mean.fill_(float('nan'))
            return parse(self, losses)

        monkeypatch.setattr(FasterRCNN, 'parse_losses', parse_losses)
    return at


def test_the_run_stops_and_says_where(small, tmp_path, break_loss):
    break_loss(2)
    with pytest.raises(UserError) as caught:
        train(small('--max-iters', '3', '--seed', '0'))
    message = str(caught.value)
    assert message.startswith('iteration 2: loss_bbox is nan; images: ')
    assert message.count('train_000') == 2 and 'non_finite=skip' in message
    snapshot = torch.load(tmp_path / 'run/non_finite_iter_2.pt', weights_only=True)
    assert len(snapshot['inputs']) == len(snapshot['gt_bboxes']) == 2
    assert all(name in message for name in snapshot['images'])
    assert all(torch.isfinite(value).all() for value in snapshot['state_dict'].values()
               if value.is_floating_point())


def test_a_batch_is_skipped(small, tmp_path, break_loss, capture_log):
    options = ['train_cfg.non_finite=skip', 'train_cfg.max_skipped=1']
    break_loss(2)
    train([*small('--max-iters', '3', '--seed', '0'), *options])
    log = '\n'.join(path.read_text() for path in tmp_path.glob('run/*/*.log'))
    assert 'skipped iteration 2: loss_bbox is nan' in log
    state = load_weights_only(tmp_path / 'run/iter_3.pth')['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values())


def test_not_too_many(small, break_loss):
    break_loss(1, 2)
    with pytest.raises(UserError, match=r'iteration 2.*max_skipped=1 were skipped'):
        train([*small('--max-iters', '3'), 'train_cfg.non_finite=skip',
               'train_cfg.max_skipped=1'])


def test_spoilt_statistics_can_not_be_skipped(small, break_loss):
    break_loss(1, spoil=True)
    with pytest.raises(UserError, match=r'backbone\.bn1\.running_mean is spoilt'):
        train([*small('--max-iters', '2'), 'train_cfg.non_finite=skip'])


def test_an_unknown_choice(small):
    with pytest.raises(UserError, match="neither 'stop' nor 'skip' nor 'ignore'"):
        train([*small('--max-iters', '1'), 'train_cfg.non_finite=no'])


def test_no_batch_is_skipped_where_gradients_are_added_up(small):
    with pytest.raises(UserError, match='do not go together'):
        train([*small('--max-iters', '2'), 'train_cfg.non_finite=skip',
               'optim_wrapper.accumulative_counts=2'])


def test_the_choice_reaches_the_detector(small, monkeypatch):
    seen, train_step = [], FasterRCNN.train_step

    def look(self, *args, **kwargs):
        seen.append(self.check_losses)
        return train_step(self, *args, **kwargs)

    monkeypatch.setattr(FasterRCNN, 'train_step', look)
    train(small('--max-iters', '1'))
    train([*small('--max-iters', '1', work_dir='other'), 'train_cfg.non_finite=ignore'])
    assert seen == [True, False]


def test_a_detector_that_does_not_look_is_stopped_after_the_step(
        small, break_loss, monkeypatch):
    monkeypatch.delattr(FiniteLosses, 'check_losses')
    monkeypatch.setattr(FasterRCNN, 'parse_losses', BaseDetector.parse_losses)
    break_loss(2)
    with pytest.raises(UserError, match=r'iteration 2: the_loss is nan'):
        train([*small('--max-iters', '4'), 'train_cfg.non_finite=skip'])
