"""The check of losses that is mixed into the detector."""

import pytest
import torch
from helpers import make_samples, tiny_detector

from frcnn_plugin.mmdet_bridge import finite_losses
from frcnn_plugin.mmdet_bridge.finite_losses import NonFiniteLoss
from frcnn_plugin.registry import MODELS


@pytest.fixture
def detector():
    return MODELS.build(tiny_detector())


def losses(value: float) -> dict[str, torch.Tensor]:
    return dict(loss_cls=torch.tensor(1.0), loss_bbox=torch.tensor(value),
                acc=torch.tensor(50.0))


def test_it_is_off_at_first(detector):
    total, by_name = detector.parse_losses(losses(float('nan')))
    assert total.isnan() and by_name['loss_cls'] == 1


@pytest.mark.parametrize('value', [float('nan'), float('inf'), -float('inf')])
def test_it_names_what_is_not_finite(detector, value):
    detector.check_losses = True
    assert detector.parse_losses(losses(2.0))[0] == 3
    with pytest.raises(NonFiniteLoss, match=f'^loss_bbox is {value}$') as caught:
        detector.parse_losses(losses(value))
    assert caught.value.losses['loss_cls'] == 1


def test_all_processes_stop(detector, monkeypatch):
    def from_another_process(bad, operation):
        assert operation == 'max'
        bad.fill_(1.0)

    monkeypatch.setattr(finite_losses, 'all_reduce', from_another_process)
    detector.check_losses = True
    with pytest.raises(NonFiniteLoss, match='of another process is not finite'):
        detector.parse_losses(losses(2.0))


def test_nothing_of_the_detector_is_replaced(detector):
    detector.check_losses = True
    detector.loss(torch.randn(1, 3, 128, 160), make_samples((2,)))
    assert 'parse_losses' not in vars(detector) and not detector._forward_hooks
