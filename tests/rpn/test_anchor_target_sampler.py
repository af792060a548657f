import pytest
import torch
from helpers import make_samples, random_boxes
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from mmengine.structures import InstanceData
from torchvision.ops import box_iou

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.ops import inside_mask
from frcnn_plugin.rpn import AnchorGenerator, AnchorTargetSampler
from frcnn_plugin.structures import GroundTruth

CODER = DeltaXYWHBBoxCoder()
SIZES = torch.tensor([[128.0, 160.0]] * 3)


def targets_of(sampler, counts=(5, 0, 2)):
    generator = AnchorGenerator([16], [0.5, 1, 2], [1, 2, 4], center_offset=0.5)
    (anchors,) = generator.grid_priors([(8, 10)])
    gt = pack_ground_truth([s.gt_instances for s in make_samples(counts)])
    return anchors, gt, sampler(anchors, gt, SIZES[:len(counts)], CODER)


def test_shapes_counts_and_balance():
    _, _, (labels, deltas) = targets_of(AnchorTargetSampler(num=64, allowed_border=0))
    assert labels.shape == (3, 720) and deltas.shape == (3, 720, 4)
    assert set(labels.unique().tolist()) == {-1, 0, 1}
    assert ((labels >= 0).sum(1) == 64).all()
    assert ((labels == 1).sum(1) <= 32).all()
    assert (labels[1] == 1).sum() == 0  # the image without boxes


def test_deltas_lead_to_the_matched_boxes_and_are_zero_elsewhere():
    anchors, gt, (labels, deltas) = targets_of(AnchorTargetSampler(num=-1))
    for image in (0, 2):
        positive = labels[image] == 1
        boxes = CODER.decode(anchors[positive], deltas[image, positive])
        distance = (boxes[:, None] - gt.bboxes[image][gt.mask[image]]).abs().amax(-1)
        assert (distance.amin(1) < 1e-2).all()
    assert torch.isfinite(deltas).all()
    assert (deltas[labels != 1] == 0).all()


def test_every_box_has_its_best_anchor():
    """Positive are the best anchors of each box, ties included, and no other one."""
    anchors, gt, (labels, deltas) = targets_of(
        AnchorTargetSampler(num=-1, pos_iou_thr=0.99, allowed_border=-1), (4,))
    iou = box_iou(gt.bboxes[0], anchors)  # (G, N), torchvision's
    assert iou.max() < 0.99
    best = iou == iou.amax(1, keepdim=True)
    assert torch.equal(labels[0] == 1, best.any(0))
    for anchor in best.any(0).nonzero().flatten():  # its target: the box closest to it
        decoded = CODER.decode(anchors[anchor:anchor + 1], deltas[0, anchor:anchor + 1])
        closest = gt.bboxes[0, iou[:, anchor].argmax()]
        torch.testing.assert_close(decoded[0], closest, atol=1e-2, rtol=0)


def test_anchors_that_leave_the_image_take_no_part():
    anchors, _, (labels, _) = targets_of(AnchorTargetSampler(num=-1, allowed_border=0))
    outside = (anchors[:, :2] < 0).any(1) | (anchors[:, 2] >= 160) \
        | (anchors[:, 3] >= 128)
    assert (labels[:, outside] == -1).all() and outside.any()


def test_mmdets_protocol_gives_the_same_labels():
    sampler = AnchorTargetSampler(num=-1, allowed_border=-1)
    anchors, gt, (labels, deltas) = targets_of(sampler, (5,))
    instances = InstanceData(priors=anchors)
    gt_instances = InstanceData(bboxes=gt.bboxes[0],
                                labels=torch.zeros(5, dtype=torch.long))
    result = sampler.sample(sampler.assign(instances, gt_instances), instances,
                            gt_instances)
    assert torch.equal(result.pos_inds, (labels[0] == 1).nonzero().squeeze(1))
    assert torch.equal(result.neg_inds, (labels[0] == 0).nonzero().squeeze(1))
    boxes = CODER.decode(anchors[result.pos_inds], deltas[0, result.pos_inds])
    torch.testing.assert_close(boxes, result.pos_gt_bboxes, atol=1e-2, rtol=0)


def test_mmdets_protocol_without_ground_truth():
    sampler = AnchorTargetSampler(num=8)
    instances = InstanceData(priors=random_boxes(20))
    nothing = InstanceData(bboxes=torch.zeros(0, 4),
                           labels=torch.zeros(0, dtype=torch.long))
    result = sampler.sample(sampler.assign(instances, nothing), instances, nothing)
    assert len(result.pos_inds) == 0 and len(result.neg_inds) == 8


@pytest.mark.parametrize(('inclusive', 'count'), [(False, 0), (True, 94)])
def test_anchors_that_end_on_the_border(inclusive, count):
    """94 of the 17100 anchors of chainercv at 600x800, which it takes."""
    anchors, = AnchorGenerator([16], [0.5, 1.0, 2.0], [8, 16, 32], center_offset=0.5
                               ).grid_priors([(38, 50)])
    sizes = torch.tensor([[600.0, 800.0]])
    inside = inside_mask(anchors, sizes, 0, inclusive)[0]
    assert len(anchors) == 17100
    assert int(inside.sum()) == int(inside_mask(anchors, sizes, 0).sum()) + count
    sampler = AnchorTargetSampler(num=-1, border_inclusive=inclusive)
    nothing = GroundTruth(torch.zeros(1, 1, 4), torch.zeros(1, 1).long(),
                          torch.zeros(1, 1, dtype=torch.bool))
    labels, _ = sampler(anchors, nothing, sizes, CODER)
    assert torch.equal(labels[0] == 0, inside)
