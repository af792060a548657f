"""detectron2's R50-C4, where it can be imported, with the weights of ``stored/``.

It is not on the package index: put a clone of its repository, and fvcore, iopath,
omegaconf and the like, on PYTHONPATH. Without its compiled part it runs as well.
"""

import json
from pathlib import Path
from types import SimpleNamespace

import torch
from torch import Tensor

from . import STORED
from .random_weights import random_state


class Detectron2:
    """``faster_rcnn_R_50_C4``, with as many classes as the stored numbers have."""

    def __init__(self, num_proposals: int = 300) -> None:
        import detectron2
        from detectron2.config import get_cfg
        from detectron2.modeling import build_model
        numbers = json.loads((STORED / 'detectron2_r50_c4.json').read_text())
        state = random_state(numbers['shapes'], numbers['gains'], numbers['biases'])
        cfg = get_cfg()
        cfg.merge_from_file(str(
            Path(detectron2.__file__).parents[1]
            / 'configs/COCO-Detection/faster_rcnn_R_50_C4_1x.yaml'))
        cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = 'cpu', ''
        cfg.MODEL.ROI_HEADS.NUM_CLASSES = len(
            state['roi_heads.box_predictor.cls_score.bias']) - 1
        cfg.MODEL.RPN.POST_NMS_TOPK_TEST = num_proposals
        self.net = build_model(cfg).eval()
        self.net.load_state_dict(state)

    def features(self, images: Tensor) -> dict[str, Tensor]:
        return self.net.backbone(images)

    def proposals(self, feats, samples, training: bool) -> list[Tensor]:
        found, _ = self.net.proposal_generator(image_list(samples), feats)
        return [each.proposal_boxes.tensor for each in found]

    def detections_in(self, boxes: Tensor, feats, samples) -> list:
        """Detections of given (B, R, 4) regions."""
        from detectron2.structures import Boxes, Instances
        given = [Instances(sample.metainfo['img_shape'], proposal_boxes=Boxes(each))
                 for each, sample in zip(boxes, samples, strict=True)]
        found, _ = self.net.roi_heads(image_list(samples), feats, given)
        return [SimpleNamespace(bboxes=each.pred_boxes.tensor, scores=each.scores,
                                labels=each.pred_classes) for each in found]


def image_list(samples):
    """detectron2's batch, of which only the sizes are read."""
    from detectron2.structures import ImageList
    sizes = [sample.metainfo['img_shape'] for sample in samples]
    return ImageList(torch.zeros(len(samples), 3, *sizes[0]), sizes)
