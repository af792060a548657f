"""One picture through the detector, stage by stage, with every tensor kept.

Comes in: a detector and a prepared picture. Goes out: the tensors of each stage, in the
order of the data.
"""

import copy
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..rpn import ProposalCreator
from ..structures import GroundTruth, Proposals, bbox2roi


@dataclass
class Stage:
    """One step of the data flow.

    Attributes:
        name: In one word, for files.
        title: For people.
        text: What happens, and where it is written.
        tensors: What goes out, by name.
        pictures: (H, W, 3) uint8 pictures in RGB, by what they show.
    """

    name: str
    title: str
    text: str
    tensors: dict[str, Tensor]
    pictures: dict = field(default_factory=dict)


@torch.no_grad()
def run_stages(detector: nn.Module, image: Tensor, image_size: tuple[int, int],
               gt: GroundTruth | None = None, region: int | None = None
               ) -> dict[str, Stage]:
    """Run a detector stage by stage.

    Args:
        detector: A ``FasterRCNN`` with our own heads, in evaluation mode.
        image: (1, 3, H, W) float32, normalised and padded.
        image_size: Height and width without padding.
        gt: What is annotated, one image; without it nothing is sampled.
        region: Which proposal is looked at closely. Default: the most certain one.

    Returns:
        dict: The stages by their names.

    Raises:
        UserError: If a head is mmdet's own, which does not tell what it does, if there
            is no proposal, or not that many.
    """
    rpn, roi = detector.rpn_head, detector.roi_head
    if not hasattr(rpn, 'gather_outputs') or not hasattr(roi, 'run_regions'):
        raise UserError('only detectors with an RPNHead and a RoIHead of frcnn_plugin '
                        'can be looked into')
    sizes = image.new_tensor([image_size])
    feats = detector.extract_feat(image)
    outputs = rpn.gather_outputs(*rpn(feats))
    anchors = outputs.anchors
    inside = ((anchors[:, :2] >= 0).all(1) & (anchors[:, 2] <= image_size[1])
              & (anchors[:, 3] <= image_size[0]))
    proposals = rpn.select_proposals(outputs, sizes, training=False)
    rois = bbox2roi(proposals.bboxes)[proposals.mask[0]]
    if len(rois) == 0:
        raise UserError('the first stage proposes nothing for this picture')
    logits, deltas = roi.run_regions(feats, rois)
    region = chosen(region, logits)
    pooled = roi.bbox_roi_extractor(
        feats[:roi.bbox_roi_extractor.num_inputs], rois)
    found = roi.detect(feats, proposals, sizes)
    stages = [
        Stage('input', 'The picture', 'Resized, normalised and padded, as the network '
              'sees it.', dict(image=image)),
        Stage('features', 'Feature map', 'The backbone makes it once, for both stages '
              '(Faster R-CNN, section 3).', {
                  f'level {i}' if len(feats) > 1 else 'feature map': feat
                  for i, feat in enumerate(feats)}),
        Stage('anchors', 'Anchors', 'Boxes of fixed shapes at every position of the '
              'map (section 3.1.1).', dict(anchors=anchors, inside=inside)),
        Stage('objectness', 'Objectness', 'What the RPN says of every anchor: is there '
              'an object, and how the anchor has to change (section 3.1).', dict(
                  rpn_scores=outputs.logits, rpn_locs=outputs.deltas,
                  objectness=rpn.objectness(outputs))),
        Stage('before_nms', 'Proposals before the suppression', 'The best anchors '
              'after their change, cut at the border; the hundred best are drawn.',
              named(without_suppression(rpn, outputs, sizes))),
        Stage('proposals', 'Proposals', 'Of those that overlap the best one stays '
              '(section 3.3).', named(proposals)),
    ]
    if gt is not None:
        stages += sampled(detector, outputs, sizes, gt)
    stages += [
        Stage('pooled', f'Region {region} pooled', 'Each region of the map becomes a '
              'grid of the same size (Fast R-CNN, section 2.1).', dict(
                  rois=rois, pooled=pooled, region=rois[region:region + 1])),
        Stage('heads', 'Classes and boxes', 'What the second stage says of every '
              'region.', dict(class_scores=logits.softmax(-1), **(
                  {} if deltas is None else dict(box_deltas=deltas)))),
        Stage('detections', 'Detections', 'Suppressed within each class (section 2.4).',
              dict(zip(('bboxes', 'scores', 'labels', 'mask'), found, strict=True))),
    ]
    return {stage.name: stage for stage in stages}


def chosen(region: int | None, logits: Tensor) -> int:
    """The proposal to look at: a given one, or the most certain to be an object."""
    if region is None:
        return int(logits.softmax(-1)[:, :-1].amax(1).argmax())
    if not 0 <= region < len(logits):
        raise UserError(f'--region {region}: there are {len(logits)} proposals, '
                        'counted from 0')
    return region


def without_suppression(rpn: nn.Module, outputs, sizes: Tensor) -> Proposals:
    """The proposals if none suppressed another."""
    whole = copy.copy(rpn)
    whole.proposal_creator = copy.copy(
        rpn.proposal_creator or ProposalCreator.from_mmdet(rpn.test_cfg))
    whole.proposal_creator.nms_iou_thr = 1.0
    return whole.select_proposals(outputs, sizes, training=False)


def sampled(detector: nn.Module, outputs, sizes: Tensor,
            gt: GroundTruth) -> list[Stage]:
    """What the two stages would be trained on."""
    rpn, roi = detector.rpn_head, detector.roi_head
    labels, deltas = rpn.target_sampler(outputs.anchors, gt, sizes, rpn.bbox_coder)
    proposals = rpn.select_proposals(outputs, sizes, training=True)
    head = roi.bbox_head
    samples = roi.target_sampler(proposals, gt, head.num_classes, head.bbox_coder)
    return [
        Stage('anchor_targets', 'Anchors to train on', 'Half of them, at most, on '
              'objects (section 3.1.2).', dict(
                  labels=labels, deltas=deltas, gt_bboxes=gt.bboxes)),
        Stage('sampled_rois', 'Regions to train on', 'A quarter of them, at most, on '
              'objects (Fast R-CNN, section 2.3).', dict(
                  bboxes=samples.bboxes, labels=samples.labels, deltas=samples.deltas,
                  mask=samples.mask)),
    ]


def named(proposals: Proposals) -> dict[str, Tensor]:
    """The fields of padded proposals by their names."""
    return dict(bboxes=proposals.bboxes, scores=proposals.scores, mask=proposals.mask)


def describe(tensor: Tensor) -> tuple[str, str, str]:
    """Shape, type and range of a tensor, for people."""
    shape = ' x '.join(str(size) for size in tensor.shape)
    kind = str(tensor.dtype).removeprefix('torch.')
    if tensor.numel() == 0:
        return shape, kind, 'empty'
    if tensor.dtype == torch.bool:
        return shape, kind, f'{int(tensor.sum())} true'
    low, high = tensor.min().item(), tensor.max().item()
    return shape, kind, f'{low:.4g} to {high:.4g}'
