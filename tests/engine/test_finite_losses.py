"""A loss that is no number does not reach a weight."""

from types import SimpleNamespace

import pytest
import torch
from mmdet.models import FasterRCNN as StockFasterRCNN

from frcnn_plugin.commands.train import train
from frcnn_plugin.detectors import FasterRCNN
from frcnn_plugin.engine.resume.loops import ResumableLoop
from frcnn_plugin.errors import NonFiniteLossError, SettingError
from frcnn_plugin.io.weights_only import load_weights_only


@pytest.fixture
def break_loss(monkeypatch):
    """Make the loss of some steps NaN."""
    def at(*steps: int, spoil: bool = False, detector: type = FasterRCNN) -> None:
        loss, seen = detector.loss, []

        def broken_loss(self, *batch):
            losses = loss(self, *batch)
            seen.append(None)
            if len(seen) in steps:
                losses['loss_bbox'] = losses['loss_bbox'] * float('nan')
                if spoil:
                    self.backbone.bn1.running_mean.fill_(float('nan'))
            return losses

        monkeypatch.setattr(detector, 'loss', broken_loss)
    return at


def test_the_run_stops_and_says_where(small, tmp_path, break_loss):
    break_loss(2)
    with pytest.raises(NonFiniteLossError) as caught:
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
    with pytest.raises(NonFiniteLossError, match=r'iteration 2.*max_skipped=1 skipped'):
        train([*small('--max-iters', '3'), 'train_cfg.non_finite=skip',
               'train_cfg.max_skipped=1'])


def test_corrupted_statistics_cannot_be_skipped(small, break_loss):
    break_loss(1, spoil=True)
    with pytest.raises(NonFiniteLossError, match=(
            r'cannot be skipped, for backbone\.bn1\.running_mean is not')):
        train([*small('--max-iters', '2'), 'train_cfg.non_finite=skip'])


def test_an_unknown_choice(small):
    with pytest.raises(SettingError, match="neither 'stop' nor 'skip' nor 'ignore'"):
        train([*small('--max-iters', '1'), 'train_cfg.non_finite=no'])


def test_no_batch_is_skipped_where_gradients_are_added_up(small):
    with pytest.raises(SettingError, match='do not go together'):
        train([*small('--max-iters', '2'), 'train_cfg.non_finite=skip',
               'optim_wrapper.accumulative_counts=2'])


@pytest.fixture
def stock(small, tmp_path):
    """Arguments for mmdet's own detector in our loop."""
    def arguments(*extra: str) -> list[str]:
        base, *rest = small('--max-iters', '3', '--seed', '0')
        settings = dict(rpn={}, rpn_proposal={}, rcnn={})
        config = tmp_path / 'stock.py'
        config.write_text(f"_base_ = '{base}'\nmodel = dict(type='mmdet.FasterRCNN', "
                          f'train_cfg={settings}, test_cfg={settings})')
        return [str(config), *rest, *extra]
    return arguments


def test_a_stock_detector_is_checked_too(stock, tmp_path, break_loss):
    break_loss(2, detector=StockFasterRCNN)
    with pytest.raises(NonFiniteLossError, match='iteration 2: loss_bbox is nan'):
        train(stock())
    snapshot = torch.load(tmp_path / 'run/non_finite_iter_2.pt', weights_only=True)
    assert all(torch.isfinite(value).all() for value in snapshot['state_dict'].values())


def test_a_batch_of_a_stock_detector_is_skipped(stock, tmp_path, break_loss):
    break_loss(2, detector=StockFasterRCNN)
    train(stock('train_cfg.non_finite=skip'))
    state = load_weights_only(tmp_path / 'run/iter_3.pth')['state_dict']
    assert all(torch.isfinite(value).all() for value in state.values())


def test_ignored_losses_are_not_looked_at(small, tmp_path, break_loss):
    break_loss(1)
    train([*small('--max-iters', '1'), 'train_cfg.non_finite=ignore'])
    state = load_weights_only(tmp_path / 'run/iter_1.pth')['state_dict']
    assert not all(torch.isfinite(value).all() for value in state.values())


@pytest.mark.parametrize(('choice', 'device', 'said'), [
    ('stop', 'meta', True), ('ignore', 'meta', False), ('stop', 'cpu', False)])
def test_a_run_on_a_gpu_says_that_it_waits(choice, device, said, capture_log):
    model = torch.nn.Linear(1, 1, device=device)
    model.check_losses = False
    runner = SimpleNamespace(
        model=model, call_hook=lambda name: None, optim_wrapper=None,
        message_hub=SimpleNamespace(runtime_info={}))
    ResumableLoop.begin(SimpleNamespace(runner=runner, non_finite=choice))
    assert model.check_losses == (choice == 'stop')
    assert ("train_cfg.non_finite='ignore' leaves it out" in capture_log()) == said
