import torch
from helpers import make_samples
from mmengine.structures import InstanceData

from frcnn_plugin.mmdet_bridge.lists import (
    instances_to_proposals,
    pack_ground_truth,
    rescale_bboxes,
    unpack,
)
from frcnn_plugin.structures import Detections, bbox2roi


def test_ground_truth_is_padded_and_comes_back():
    instances = [s.gt_instances for s in make_samples((2, 0, 5))]
    gt = pack_ground_truth(instances)
    assert gt.bboxes.shape == (3, 5, 4) and gt.mask.sum(1).tolist() == [2, 0, 5]
    assert (gt.bboxes[~gt.mask] == 0).all()
    back = unpack(gt.mask, bboxes=gt.bboxes, labels=gt.labels)
    for a, b in zip(back, instances, strict=True):
        assert torch.equal(a.bboxes, b.bboxes) and torch.equal(a.labels, b.labels)


def test_a_batch_without_any_box_has_one_row_of_padding():
    gt = pack_ground_truth([s.gt_instances for s in make_samples((0, 0))])
    assert gt.bboxes.shape == (2, 1, 4) and not gt.mask.any()


def test_proposals_without_scores_count_as_certain():
    proposals = instances_to_proposals([
        InstanceData(bboxes=torch.rand(3, 4)), InstanceData(bboxes=torch.rand(1, 4))])
    assert proposals.scores.tolist() == [[1, 1, 1], [1, 0, 0]]


def test_rois_carry_the_index_of_their_image():
    rois = bbox2roi(torch.rand(2, 3, 4))
    assert rois[:, 0].tolist() == [0, 0, 0, 1, 1, 1]


def test_each_image_is_rescaled_by_its_own_factor():
    boxes = torch.tensor([[[10.0, 10, 20, 20]]] * 2)
    batch = Detections(boxes, torch.rand(2, 1), torch.zeros(2, 1), torch.ones(2, 1))
    found = rescale_bboxes(batch, [dict(scale_factor=(2.0, 1.0)),
                                   dict(scale_factor=(5.0, 10.0))])
    assert found.bboxes[:, 0].tolist() == [[5, 10, 10, 20], [2, 1, 4, 2]]
