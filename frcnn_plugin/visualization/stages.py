"""One picture through the detector, stage by stage, with every tensor kept."""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from ..errors import UserError
from ..ops import inside_mask
from ..structures import GroundTruth, Proposals, bbox2roi


@dataclass
class Stage:
    """One step of the data flow: its name for files, its title and text for people.

    ``tensors`` are what goes out, and ``pictures`` (H, W, 3) uint8 in RGB, by what
    they show.
    """

    name: str
    title: str
    text: str
    tensors: dict[str, Tensor]
    pictures: dict = field(default_factory=dict)


@contextmanager
def watch(module: nn.Module, *names: str) -> Iterator[dict]:
    """Note what methods of a module return, by their names."""
    seen = {}

    def noting(name: str, method: Callable) -> Callable:
        def call(*args, **kwargs):
            seen[name] = method(*args, **kwargs)
            return seen[name]
        return call

    for name in names:
        module.__dict__[name] = noting(name, getattr(module, name))
    try:
        yield seen
    finally:
        for name in names:
            del module.__dict__[name]


@torch.no_grad()
def run_stages(detector: nn.Module, image: Tensor, image_size: tuple[int, int],
               gt: GroundTruth | None = None, region: int | None = None
               ) -> dict[str, Stage]:
    """Watch the stages of a detector while it detects, and while it is trained.

    Args:
        detector: A ``FasterRCNN`` with our own heads, plain and in evaluation mode.
        image: (1, 3, H, W) float32, normalised and padded.
        image_size: Height and width without padding.
        gt: What is annotated, one image; without it nothing is sampled.
        region: The place of the proposal to look at closely, from 0. Default: that
            with the highest score of a class.

    Returns:
        dict: The stages by their names.

    Raises:
        UserError: If a head is mmdet's own, which does not tell what it does, if there
            is no proposal, or not that many.
    """
    rpn, roi = detector.rpn_head, detector.roi_head
    if not hasattr(rpn, 'run') or not hasattr(roi, 'predict_regions'):
        raise UserError('only detectors with an RPNHead and a RoIHead of frcnn_plugin '
                        'can be looked into')
    sizes = image.new_tensor([image_size])
    with watch(detector, 'extract_feat') as whole, watch(
            rpn, 'gather_outputs', 'select_proposals') as first, watch(
            roi.bbox_roi_extractor, 'forward') as pooling, watch(
            roi, 'predict_regions') as second:
        found = detector.detect(image, sizes)
    feats = whole['extract_feat']
    outputs, proposals = first['gather_outputs'], first['select_proposals']
    anchors, kept = outputs.anchors, proposals.mask[0]
    inside = inside_mask(anchors, sizes, 0)[0]
    rois = bbox2roi(proposals.bboxes)[kept]
    if len(rois) == 0:
        raise UserError('the first stage proposes nothing for this picture')
    logits, deltas = (None if part is None else part[kept]
                      for part in second['predict_regions'])
    if region is None:
        region = int(logits.softmax(-1)[:, :-1].amax(1).argmax())
    elif not 0 <= region < len(logits):
        raise UserError(f'region {region}: there are {len(logits)} proposals, counted '
                        'from 0')
    stages = [
        Stage('input', 'The picture', 'Resized, normalised and padded, as the network '
              'sees it.', dict(image=image)),
        Stage('features', 'Feature map', 'The backbone makes it once, for both stages '
              '(Faster R-CNN, section 3).', {
                  f'level {i}' if len(feats) > 1 else 'feature map': feat
                  for i, feat in enumerate(feats)}),
        Stage('anchors', 'Anchors', 'Boxes of fixed shapes at every position of the '
              'map (section 3.1.1).', dict(anchors=anchors, inside=inside)),
        Stage('objectness', 'Objectness', "The RPN's outputs for every anchor: is "
              'there an object, and how the anchor has to change (section 3.1).', dict(
                  rpn_scores=outputs.logits, rpn_locs=outputs.deltas,
                  objectness=rpn.objectness(outputs))),
        Stage('before_nms', 'Proposals before the suppression', 'The best anchors '
              'after their change, cut at the border; the hundred best are drawn.',
              without_suppression(rpn, outputs, sizes)._asdict()),
        Stage('proposals', 'Proposals', 'Of those that overlap the best one stays '
              '(section 3.3).', proposals._asdict()),
    ]
    if gt is not None:
        stages += sampled(detector, image, sizes, gt)
    stages += [
        Stage('pooled', f'Region {region} pooled', 'Each region of the map becomes a '
              'grid of the same size (Fast R-CNN, section 2.1).', dict(
                  rois=rois, pooled=pooling['forward'][kept],
                  region=rois[region:region + 1])),
        Stage('heads', 'Classes and boxes', "The second stage's outputs for every "
              'region.', dict(class_scores=logits.softmax(-1), **(
                  {} if deltas is None else dict(box_deltas=deltas)))),
        Stage('detections', 'Detections', 'Suppressed within each class '
              '(Fast R-CNN, section 3).',
              found._asdict()),
    ]
    return {stage.name: stage for stage in stages}


def without_suppression(rpn: nn.Module, outputs, sizes: Tensor) -> Proposals:
    """The proposals if none suppressed another."""
    creator = copy.copy(rpn.proposal_creator)
    creator.test = {**creator.test, 'nms_iou_thr': 1.0}
    return rpn.select_proposals(outputs, sizes, training=False, creator=creator)


def sampled(detector: nn.Module, image: Tensor, sizes: Tensor,
            gt: GroundTruth) -> list[Stage]:
    """What the two stages would be trained on."""
    with watch(detector.rpn_head, 'assign_targets') as first, watch(
            detector.roi_head, 'assign_targets') as second:
        detector.losses(image, sizes, gt)
    return [
        Stage('anchor_targets', 'Anchors to train on', 'Half of them, at most, on '
              'objects (section 3.1.2).', dict(
                  **first['assign_targets']._asdict(), gt_bboxes=gt.bboxes)),
        Stage('sampled_rois', 'Regions to train on', 'A quarter of them, at most, on '
              'objects (Fast R-CNN, section 2.3).', second['assign_targets']._asdict()),
    ]


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
