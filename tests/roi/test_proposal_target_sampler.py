import torch
from helpers import make_samples, random_boxes
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from mmengine.structures import InstanceData

from frcnn_plugin.mmdet_bridge.lists import pack_ground_truth
from frcnn_plugin.roi import ProposalTargetSampler
from frcnn_plugin.structures import Proposals

CODER = DeltaXYWHBBoxCoder(target_stds=(0.1, 0.1, 0.2, 0.2))
CLASSES = 3


def batch(counts=(4, 0, 7), num=200):
    gt = pack_ground_truth([s.gt_instances for s in make_samples(counts, CLASSES)])
    shape = (len(counts), num)
    mask = torch.rand(shape) > 0.2
    boxes = random_boxes(len(counts) * num).view(*shape, 4)
    return Proposals(boxes, torch.rand(shape), mask), gt


def test_shapes_counts_and_order():
    proposals, gt = batch()
    found = ProposalTargetSampler(num=64)(proposals, gt, CLASSES, CODER)
    assert found.bboxes.shape == (3, 64, 4) and found.deltas.shape == (3, 64, 4)
    positive = found.labels < CLASSES
    assert (positive.sum(1) <= 16).all() and positive[[0, 2]].any(1).all()
    assert not positive[1].any() and found.mask[1].sum() == 64
    assert (positive.long().diff(dim=1) <= 0).all()


def test_labels_and_deltas_belong_to_the_closest_box():
    proposals, gt = batch()
    found = ProposalTargetSampler(num=-1)(proposals, gt, CLASSES, CODER)
    for image in (0, 2):
        positive = found.mask[image] & (found.labels[image] < CLASSES)
        boxes = CODER.decode(
            found.bboxes[image, positive], found.deltas[image, positive])
        distance = (boxes[:, None] - gt.bboxes[image][gt.mask[image]]).abs().amax(-1)
        nearest, index = distance.min(1)
        assert (nearest < 1e-2).all()
        assert torch.equal(found.labels[image, positive], gt.labels[image][index])
    assert torch.isfinite(found.deltas).all()


def test_ground_truth_is_among_the_proposals():
    proposals, gt = batch((5,), 30)
    nothing = proposals._replace(mask=torch.zeros_like(proposals.mask))
    found = ProposalTargetSampler(num=16)(nothing, gt, CLASSES, CODER)
    assert (found.labels < CLASSES).sum() == 4  # a quarter of 16
    without = ProposalTargetSampler(num=16, add_gt_as_proposals=False)
    assert not without(nothing, gt, CLASSES, CODER).mask.any()


def test_the_lower_bound_of_the_background():
    proposals, gt = batch()
    found = ProposalTargetSampler(num=-1, neg_iou_thr=(0.1, 0.5))(
        proposals, gt, CLASSES, CODER)
    assert not found.mask[1].any()  # without boxes every overlap is 0


def test_mmdets_protocol_gives_the_same_samples():
    proposals, gt = batch((5,))
    sampler = ProposalTargetSampler(num=-1)
    found = sampler(proposals, gt, CLASSES, CODER)
    instances = InstanceData(priors=proposals.bboxes[0][proposals.mask[0]])
    gt_instances = InstanceData(bboxes=gt.bboxes[0], labels=gt.labels[0])
    result = sampler.sample(
        sampler.assign(instances, gt_instances), instances, gt_instances)
    positive = found.mask[0] & (found.labels[0] < CLASSES)
    ours = found.bboxes[0, positive]
    assert len(ours) == len(result.pos_priors)
    torch.testing.assert_close(ours.sort(0).values, result.pos_priors.sort(0).values)
    assert result.pos_is_gt.sum() == 5
    order = torch.cdist(ours, result.pos_priors).argmin(1)
    assert torch.equal(found.labels[0, positive], result.pos_gt_labels[order])
    boxes = CODER.decode(ours, found.deltas[0, positive])
    torch.testing.assert_close(boxes, result.pos_gt_bboxes[order], atol=1e-2, rtol=0)
