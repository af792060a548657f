"""Draws the stages of a detector, with mmengine's visualizer."""

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
from .boxes import BoxDrawer
from .stages import Stage

BEST = 100  # proposals that are drawn
LEAST = 400  # pixels of the shorter side of a picture
OBJECT, BACKGROUND, TRUTH = (34, 165, 91), (224, 72, 77), (59, 130, 246)  # RGB
COLORS = ((59, 130, 246), (249, 115, 22), (34, 165, 91), (217, 70, 239), (224, 72, 77))


def draw_stages(stages: dict[str, Stage], image: np.ndarray, detector: nn.Module,
                classes: Sequence[str], score_thr: float | np.ndarray) -> None:
    """Give every stage its pictures.

    Args:
        stages: Of :func:`frcnn_plugin.visualization.stages.run_stages`.
        image: (H, W, 3) uint8, RGB, resized, without padding.
        detector: The one that was run.
        classes: The names of its classes.
        score_thr: Detections with a lower score, or one lower than that of their class
            if there are (C,), are not drawn.
    """
    pictures = StagePictures(stages, image, detector, tuple(classes), score_thr)
    for name, stage in stages.items():
        if hasattr(pictures, name):
            stage.pictures = getattr(pictures, name)(stage.tensors)


class StagePictures:
    """A method for each stage that has pictures: from its tensors, what they show."""

    def __init__(self, stages: dict[str, Stage], image: np.ndarray, detector: nn.Module,
                 classes: tuple[str, ...], score_thr: float | np.ndarray) -> None:
        self.stages, self.image, self.detector = stages, image, detector
        self.classes, self.score_thr = classes, score_thr
        # large enough for lines to be told apart
        self.factor = max(1.0, LEAST / min(image.shape[:2]))
        self.large = mmcv.imrescale(image, self.factor, interpolation='bicubic')
        self.num_priors = detector.rpn_head.prior_generator.num_base_priors
        self.maps = stages['features'].tensors.values()
        self.level_sizes = [num * feature[0, 0].numel() for num, feature in zip(
            self.num_priors, self.maps, strict=True)]

    def draw(self, *groups: tuple[Tensor, tuple, float]) -> np.ndarray:
        """Groups of (n, 4) boxes, RGB colour and line width on the picture."""
        drawn = Visualizer(image=self.large)
        limit = torch.tensor(self.large.shape[1::-1]).repeat(2) - 1
        for boxes, color, line_width in groups:
            if len(boxes):  # what lies outside cannot be drawn
                boxes = (boxes.float() * self.factor).clamp(min=0).minimum(limit)
                drawn.draw_bboxes(boxes, edge_colors=color, line_widths=line_width)
        return drawn.get_image()

    def heat(self, values: Tensor) -> np.ndarray:
        """(h, w) values as colours over the picture."""
        values = F.interpolate(values[None, None].float(), self.large.shape[:2],
                               mode='bilinear')[0]
        return Visualizer.draw_featmap(values, self.large, alpha=0.4)

    def input(self, tensors: dict[str, Tensor]) -> dict:
        """The picture itself."""
        return {'input': self.image}

    def features(self, tensors: dict[str, Tensor]) -> dict:
        """Each level's mean over its channels; the first one's strongest channels."""
        pictures = {f'{name}, mean of {feature.size(1)} channels':
                    self.heat(feature[0].mean(0)) for name, feature in tensors.items()}
        first = next(iter(tensors.values()))[0]
        strongest = first[first.mean((1, 2)).topk(min(9, len(first))).indices]
        tiles = [Visualizer.draw_featmap(channel[None]) for channel in strongest]
        side = max(1, int(len(tiles) ** 0.5))
        grid = np.concatenate([np.concatenate(tiles[i:i + side], 1)
                               for i in range(0, side * side, side)])
        factor = max(1, round(480 / grid.shape[1]))
        pictures[f'the {side * side} strongest channels'] = cv2.resize(
            grid, None, fx=factor, fy=factor, interpolation=cv2.INTER_NEAREST)
        return pictures

    def anchors(self, tensors: dict[str, Tensor]) -> dict:
        """Those of one position of each level, and the positions of the first."""
        height, width = self.image.shape[:2]
        groups = []
        parts = tensors['anchors'].split(self.level_sizes)
        for level, (anchors, num) in enumerate(
                zip(parts, self.num_priors, strict=True)):
            centres = (anchors[::num, :2] + anchors[::num, 2:]) / 2
            middle = (centres - centres.new_tensor([width / 2, height / 2])).norm(dim=1)
            place = int(middle.argmin()) * num
            groups += [(anchors[i:i + 1], COLORS[(i - place) % len(COLORS)], 2)
                       for i in range(place, place + num)]
            if level == 0:
                positions = centres
        dots = self.large.copy()
        for x, y in (positions * self.factor).round().int().tolist():
            cv2.circle(dots, (x, y), 2, TRUTH, -1)
        return {'anchors of the position in the middle': self.draw(*groups),
                'positions': dots}

    def objectness(self, tensors: dict[str, Tensor]) -> dict:
        """The highest at each pixel, over anchors and levels."""
        padded = self.stages['input'].tensors['image'].shape[-2:]
        parts = tensors['objectness'][0].split(self.level_sizes)
        levels = []
        for feature, part in zip(self.maps, parts, strict=True):
            best = part.view(1, 1, *feature.shape[-2:], -1).amax(-1)
            levels.append(F.interpolate(best, padded, mode='bilinear')[0, 0])
        height, width = self.image.shape[:2]
        return {'the best anchor of each position': self.heat(
            torch.stack(levels).amax(0)[:height, :width])}

    def proposals(self, tensors: dict[str, Tensor]) -> dict:
        """The best ones, the first of them thick."""
        boxes = tensors['bboxes'][0][tensors['mask'][0]][:BEST]
        return {'the hundred best': self.draw(
            (boxes[10:], COLORS[0], 1), (boxes[:10], COLORS[1], 2))}

    before_nms = proposals

    def anchor_targets(self, tensors: dict[str, Tensor]) -> dict:
        """The sampled anchors."""
        anchors = self.stages['anchors'].tensors['anchors']
        labels = tensors['labels'][0]
        return {'objects green, background red, annotated blue': self.draw(
            (anchors[labels == 0][:BEST], BACKGROUND, 0.5),
            (anchors[labels == 1], OBJECT, 1.5), (tensors['gt_bboxes'][0], TRUTH, 2))}

    def sampled_rois(self, tensors: dict[str, Tensor]) -> dict:
        """The sampled regions."""
        boxes, labels = (tensors[name][0][tensors['mask'][0]]
                         for name in ('bboxes', 'labels'))
        is_object = labels < len(self.classes)
        return {'objects green, background red': self.draw(
            (boxes[~is_object][:BEST], BACKGROUND, 0.5),
            (boxes[is_object], OBJECT, 1.5))}

    def pooled(self, tensors: dict[str, Tensor]) -> dict:
        """The cells of the chosen region, and what is pooled into them."""
        extractor = self.detector.roi_head.bbox_roi_extractor
        region = tensors['region']
        x1, y1, x2, y2 = (region[0, 1:] * self.factor).tolist()
        rows, columns = extractor.output_size
        drawn = self.draw((region[:, 1:], COLORS[1], 2))
        for x in np.linspace(x1, x2, columns + 1)[1:-1].round().astype(int).tolist():
            cv2.line(drawn, (x, round(y1)), (x, round(y2)), COLORS[1], 1)
        for y in np.linspace(y1, y2, rows + 1)[1:-1].round().astype(int).tolist():
            cv2.line(drawn, (round(x1), y), (round(x2), y), COLORS[1], 1)
        index = int((tensors['rois'] == region).all(1).nonzero()[0])
        cells = Visualizer.draw_featmap(tensors['pooled'][index].mean(0, keepdim=True))
        level = int(map_roi_levels(region[:, 1:], extractor.num_inputs,
                                   extractor.finest_scale))
        return {f'{rows} x {columns} cells, on a map of stride '
                f'{extractor.featmap_strides[level]}': drawn,
                'mean of the channels in each cell': cv2.resize(
                    cells, (384, max(1, round(384 * rows / columns))),
                    interpolation=cv2.INTER_NEAREST)}

    def detections(self, tensors: dict[str, Tensor]) -> dict:
        """The detections with their names."""
        kept = tensors['mask'][0]
        found = Prediction(*(tensors[name][0][kept].numpy() for name in (
            'bboxes', 'scores', 'labels')), self.classes)
        drawn = BoxDrawer(self.classes)(
            self.image[..., ::-1], found.above(self.score_thr))
        return {'detections': drawn[..., ::-1]}
