import pytest
import torch
from mmdet.models.losses import SmoothL1Loss

from frcnn_plugin.ops import count_samples, masked_mean
from frcnn_plugin.registry import MODELS


def test_equals_mmdets_own_reduction():
    pred, target = torch.randn(2, 9, 4), torch.randn(2, 9, 4)
    mask = torch.rand(2, 9) > 0.5
    loss = SmoothL1Loss(beta=1 / 9, loss_weight=0.7)
    ours = masked_mean(loss(pred, target, reduction_override='none'), mask,
                       count_samples(mask))
    weight = mask.unsqueeze(-1).expand_as(pred).float()
    torch.testing.assert_close(ours, loss(pred, target, weight, avg_factor=mask.sum()))


def test_an_empty_mask_gives_zero_with_a_gradient_of_zero():
    pred = torch.randn(3, requires_grad=True)
    mask = torch.zeros(3, dtype=torch.bool)
    # what stands in masked rows may be infinite, and must not leak
    loss = masked_mean(pred / torch.tensor([1.0, 0.0, 1.0]), mask, count_samples(mask))
    loss.backward()
    assert loss.item() == 0


@pytest.mark.parametrize('head', [
    dict(type='RPNHead', in_channels=8), dict(type='BBoxHead', num_classes=3)])
def test_a_loss_on_boxes_is_refused_where_deltas_are_compared(head):
    with pytest.raises(ValueError, match='GIoULoss, which compares boxes'):
        MODELS.build(dict(head, loss_bbox=dict(type='GIoULoss')))
