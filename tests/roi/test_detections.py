import torch
from helpers import random_boxes
from mmdet.models.layers import multiclass_nms
from mmdet.models.task_modules import DeltaXYWHBBoxCoder

from frcnn_plugin.roi.detections import decode_predictions, select_detections

CFG = dict(score_thr=0.2, nms=dict(type='nms', iou_threshold=0.4), max_per_img=25)


def test_equals_mmdets_multiclass_nms():
    coder = DeltaXYWHBBoxCoder(target_stds=(0.1, 0.1, 0.2, 0.2), clip_border=True)
    boxes, logits = random_boxes(80).view(2, 40, 4), torch.randn(2, 40, 4)
    deltas, sizes = torch.randn(2, 40, 12), torch.tensor([[100.0, 150.0], [90.0, 120]])
    mask = torch.rand(2, 40) > 0.2
    scores, decoded = decode_predictions(logits, deltas, boxes, sizes, coder, 3)
    found = select_detections(scores, decoded, mask, CFG)
    for image in range(2):
        real = mask[image]
        bboxes = coder.decode(boxes[image, real], deltas[image, real],
                              max_shape=sizes[image].tolist())
        dets, labels = multiclass_nms(
            bboxes, logits[image, real].softmax(-1), CFG['score_thr'], CFG['nms'],
            CFG['max_per_img'])
        count = int(found.mask[image].sum())
        assert count == len(dets) > 5
        torch.testing.assert_close(found.bboxes[image, :count], dets[:, :4],
                                   atol=1e-3, rtol=1e-5)
        torch.testing.assert_close(found.scores[image, :count], dets[:, 4])
        assert torch.equal(found.labels[image, :count], labels)


def test_without_regression_the_proposals_are_the_boxes():
    boxes = random_boxes(6).view(1, 6, 4)
    _, decoded = decode_predictions(
        torch.randn(1, 6, 4), None, boxes, torch.tensor([[500.0, 500.0]]), None, 3)
    assert torch.equal(decoded, boxes.unsqueeze(2).expand(-1, -1, 3, -1))


def test_nothing_above_the_threshold():
    found = select_detections(torch.zeros(2, 5, 3), torch.rand(2, 5, 3, 4),
                              torch.ones(2, 5, dtype=torch.bool), CFG)
    assert not found.mask.any() and (found.bboxes == 0).all()


def test_tiny_boxes_and_clipping_where_asked():
    coder = DeltaXYWHBBoxCoder(clip_border=False)
    boxes = torch.tensor([[[10.0, 10, 300, 40], [10, 10, 10.005, 40]]])
    scores, decoded = decode_predictions(
        torch.tensor([[[3.0, 0], [3, 0]]]), torch.zeros(1, 2, 4), boxes,
        torch.tensor([[100.0, 100]]), coder, 1)
    torch.testing.assert_close(decoded[0, :, 0], boxes[0])
    mask = torch.ones(1, 2, dtype=torch.bool)
    assert select_detections(scores, decoded, mask, CFG).mask.sum() == 2
    found = select_detections(scores, decoded, mask, dict(CFG, min_bbox_size=0.01))
    assert found.mask.tolist()[0][0] and found.mask.sum() == 1
