"""A detector that looks at its losses."""

import pytest
import torch
from helpers import tiny_detector

from frcnn_plugin.mmdet_bridge.finite_losses import NonFiniteLoss
from frcnn_plugin.registry import MODELS


def test_it_is_a_choice():
    model = MODELS.build(tiny_detector())
    bad = dict(loss_cls=torch.tensor(float('nan')), loss_bbox=torch.tensor(1.0))
    assert not model.check_losses
    assert torch.isnan(model.parse_losses(bad)[0])
    model.check_losses = True
    with pytest.raises(NonFiniteLoss, match=r'^loss_cls is nan$') as caught:
        model.parse_losses(bad)
    assert caught.value.losses['loss_bbox'] == 1.0
    good = dict(loss_cls=torch.tensor(2.0), loss_bbox=torch.tensor(1.0))
    assert model.parse_losses(good)[0] == 3.0
