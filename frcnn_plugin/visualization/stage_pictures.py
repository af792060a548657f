"""Draws the stages of a detector, with mmengine's visualizer.

Comes in: the stages and the picture. Goes out: the same stages with their pictures.
"""

from collections.abc import Sequence

import cv2
import mmcv
import numpy as np
import torch
import torch.nn.functional as F
from mmengine.visualization import Visualizer
from torch import Tensor, nn

from ..inference import Prediction
from ..roi.roi_pool_extractor import map_roi_levels
from .draw import Drawer
from .stages import Stage

BEST = 100  # proposals that are drawn
LEAST = 400  # pixels of the shorter side of a picture
OBJECT, BACKGROUND, TRUTH = (34, 165, 91), (224, 72, 77), (59, 130, 246)  # RGB
COLORS = ((59, 130, 246), (249, 115, 22), (34, 165, 91), (217, 70, 239), (224, 72, 77))


def draw_stages(stages: dict[str, Stage], image: np.ndarray, detector: nn.Module,
                classes: Sequence[str], score_thr: float) -> None:
    """Give every stage its pictures.

    Args:
        stages: Of :func:`frcnn_plugin.visualization.stages.run_stages`.
        image: (H, W, 3) uint8, RGB, resized, without padding.
        detector: The one that was run.
        classes: The names of its classes.
        score_thr: Detections with a lower score are not drawn.
    """
    height, width = image.shape[:2]
    drawers = dict(
        input=lambda tensors: {'input': image},
        features=lambda tensors: feature_maps(tensors, image),
        anchors=lambda tensors: anchor_pictures(
            tensors, stages, image, detector.rpn_head),
        objectness=lambda tensors: {'the best anchor of each position': heat(
            best_of_positions(tensors['objectness'][0], detector.rpn_head, stages,
                              (height, width)), image)},
        before_nms=lambda tensors: {'the hundred best': boxes_of(tensors, image)},
        proposals=lambda tensors: {'the hundred best': boxes_of(tensors, image)},
        anchor_targets=lambda tensors: {'objects green, background red, annotated blue':
                                        targets_of_anchors(tensors, stages, image)},
        sampled_rois=lambda tensors: {'objects green, background red': targets_of_rois(
            tensors, len(classes), image)},
        pooled=lambda tensors: pooled_pictures(tensors, stages, image, detector),
        detections=lambda tensors: {'detections': detections(
            tensors, image, classes, score_thr)})
    for name, draw in drawers.items():
        if name in stages:
            stages[name].pictures = draw(stages[name].tensors)


def draw_boxes(image: np.ndarray, groups: Sequence[tuple[Tensor, tuple, float]]
               ) -> np.ndarray:
    """Boxes on a picture: groups of (n, 4) boxes, RGB colour and line width."""
    image, factor = enlarged(image)
    drawn = Visualizer(image=image)
    limit = torch.tensor(image.shape[1::-1]).repeat(2) - 1
    for boxes, color, line_width in groups:
        if len(boxes):  # what lies outside cannot be drawn
            boxes = (boxes.float() * factor).clamp(min=0).minimum(limit)
            drawn.draw_bboxes(boxes, edge_colors=color, line_widths=line_width)
    return drawn.get_image()


def enlarged(image: np.ndarray) -> tuple[np.ndarray, float]:
    """A picture on which lines can be told apart, and by how much it grew."""
    factor = max(1.0, LEAST / min(image.shape[:2]))
    return mmcv.imrescale(image, factor, interpolation='bicubic'), factor


def feature_maps(tensors: dict[str, Tensor], image: np.ndarray) -> dict:
    """Each level: the mean over its channels, and its nine strongest channels."""
    pictures = {}
    for name, feature in tensors.items():
        pictures[f'{name}, mean of {feature.size(1)} channels'] = heat(
            feature[0].mean(0), image)
    first = next(iter(tensors.values()))[0]
    strongest = first[first.mean((1, 2)).topk(min(9, len(first))).indices]
    tiles = [heat(channel, None) for channel in strongest]
    side = max(1, int(len(tiles) ** 0.5))
    rows = [np.concatenate(tiles[i:i + side], 1) for i in range(0, side * side, side)]
    grid = np.concatenate(rows)
    factor = max(1, round(480 / grid.shape[1]))
    pictures[f'the {side * side} strongest channels'] = cv2.resize(
        grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
    return pictures


def heat(values: Tensor, image: np.ndarray | None) -> np.ndarray:
    """(h, w) values as colours, over the picture if there is one."""
    if image is None:
        return Visualizer.draw_featmap(values[None])
    image, _ = enlarged(image)
    values = F.interpolate(values[None, None].float(), image.shape[:2],
                           mode='bilinear')[0]
    return Visualizer.draw_featmap(values, image, alpha=0.4)


def anchor_pictures(tensors: dict[str, Tensor], stages: dict[str, Stage],
                    image: np.ndarray, rpn_head: nn.Module) -> dict:
    """The anchors of one position of each level, and the positions of the first."""
    height, width = image.shape[:2]
    groups = []
    priors = rpn_head.prior_generator.num_base_priors
    parts = tensors['anchors'].split(level_sizes(stages, rpn_head))
    for level, (anchors, each) in enumerate(zip(parts, priors, strict=True)):
        centres = (anchors[::each, :2] + anchors[::each, 2:]) / 2
        middle = (centres - centres.new_tensor([width / 2, height / 2])).norm(dim=1)
        place = int(middle.argmin()) * each
        groups += [(anchors[i:i + 1], COLORS[(i - place) % len(COLORS)], 2)
                   for i in range(place, place + each)]
        if level == 0:
            positions = centres
    dots, factor = enlarged(image)
    dots = dots.copy()
    for x, y in (positions * factor).round().int().tolist():
        cv2.circle(dots, (x, y), 2, TRUTH, -1)
    return {'anchors of the position in the middle': draw_boxes(image, groups),
            'positions': dots}


def best_of_positions(objectness: Tensor, rpn_head: nn.Module, stages: dict[str, Stage],
                      size: tuple[int, int]) -> Tensor:
    """(H, W) the highest objectness at each pixel, over anchors and levels."""
    maps = []
    padded = stages['input'].tensors['image'].shape[-2:]
    parts = objectness.split(level_sizes(stages, rpn_head))
    for feature, part in zip(stages['features'].tensors.values(), parts, strict=True):
        best = part.view(1, 1, *feature.shape[-2:], -1).amax(-1)
        maps.append(F.interpolate(best, padded, mode='bilinear')[0, 0])
    return torch.stack(maps).amax(0)[:size[0], :size[1]]


def level_sizes(stages: dict[str, Stage], rpn_head: nn.Module) -> list[int]:
    """The number of anchors on each level."""
    features = stages['features'].tensors.values()
    priors = rpn_head.prior_generator.num_base_priors
    return [each * feature.size(2) * feature.size(3)
            for feature, each in zip(features, priors, strict=True)]


def boxes_of(tensors: dict[str, Tensor], image: np.ndarray) -> np.ndarray:
    """The best proposals, the first ones thick."""
    boxes = tensors['bboxes'][0][tensors['mask'][0]][:BEST]
    return draw_boxes(image, [(boxes[10:], COLORS[0], 1), (boxes[:10], COLORS[1], 2)])


def targets_of_anchors(tensors: dict[str, Tensor], stages: dict[str, Stage],
                       image: np.ndarray) -> np.ndarray:
    """Sampled anchors."""
    anchors = stages['anchors'].tensors['anchors']
    labels = tensors['labels'][0]
    return draw_boxes(image, [
        (anchors[labels == 0][:BEST], BACKGROUND, 0.5),
        (anchors[labels == 1], OBJECT, 1.5), (tensors['gt_bboxes'][0], TRUTH, 2)])


def targets_of_rois(tensors: dict[str, Tensor], num_classes: int,
                    image: np.ndarray) -> np.ndarray:
    """Sampled regions."""
    boxes = tensors['bboxes'][0][tensors['mask'][0]]
    labels = tensors['labels'][0][tensors['mask'][0]]
    return draw_boxes(image, [(boxes[labels == num_classes][:BEST], BACKGROUND, 0.5),
                              (boxes[labels < num_classes], OBJECT, 1.5)])


def pooled_pictures(tensors: dict[str, Tensor], stages: dict[str, Stage],
                    image: np.ndarray, detector: nn.Module) -> dict:
    """The cells of the chosen region on the picture, and what is pooled into them."""
    extractor = detector.roi_head.bbox_roi_extractor
    region = tensors['region']
    x1, y1, x2, y2 = (region[0, 1:] * enlarged(image)[1]).tolist()
    rows, columns = extractor.output_size
    drawn = draw_boxes(image, [(region[:, 1:], COLORS[1], 2)])
    for i in range(1, columns):
        x = round(x1 + (x2 - x1) * i / columns)
        cv2.line(drawn, (x, round(y1)), (x, round(y2)), COLORS[1], 1)
    for i in range(1, rows):
        y = round(y1 + (y2 - y1) * i / rows)
        cv2.line(drawn, (round(x1), y), (round(x2), y), COLORS[1], 1)
    index = int((tensors['rois'] == region).all(1).nonzero()[0])
    cells = heat(tensors['pooled'][index].mean(0), None)
    level = int(map_roi_levels(region[:, 1:], extractor.num_inputs,
                               extractor.finest_scale))
    return {f'{rows} x {columns} cells, on a map of stride '
            f'{extractor.featmap_strides[level]}': drawn,
            'mean of the channels in each cell': cv2.resize(
                cells, (384, max(1, round(384 * rows / columns))),
                interpolation=cv2.INTER_NEAREST)}


def detections(tensors: dict[str, Tensor], image: np.ndarray, classes: Sequence[str],
               score_thr: float) -> np.ndarray:
    """The detections with their names."""
    kept = tensors['mask'][0]
    found = Prediction(*(tensors[name][0][kept].numpy() for name in (
        'bboxes', 'scores', 'labels')), tuple(classes))
    drawn = Drawer(tuple(classes))(image[..., ::-1], found.above(score_thr))
    return drawn[..., ::-1]
