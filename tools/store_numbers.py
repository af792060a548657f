"""What code bases say that are not on the package index, stored for the tests.

    python tools/store_numbers.py detectron2_r50_c4 CHECKOUT
    python tools/store_numbers.py detectron2_r50_fpn CHECKOUT
    python tools/store_numbers.py simple_vgg16 CHECKOUT
    python tools/store_numbers.py bubbliiiing_vgg16 CHECKOUT
    python tools/store_numbers.py bubbliiiing_r50 CHECKOUT

CHECKOUT is a clone of its public repository; detectron2 also needs fvcore, iopath,
omegaconf and yacs. Its network gets the weights of ``peers/random_weights.py``, its
last four layers scaled so that scores and boxes are spread as in a trained network.
What it then detects in an image of noise is written to ``peers/stored/NAME.json``, with
the names and shapes of its weights and what it makes of pixels. Nothing of its code is
kept.
"""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from peers import STORED
from peers.random_weights import random_images, random_state

NUM_CLASSES = 6
SPREADS = (2.0, 0.3, 2.0, 1.0)  # objectness, its deltas, classes, their deltas
RGB = [[10, 20, 30], [200, 100, 50]]  # two pixels


class Detectron2:
    """``faster_rcnn_R_50_C4`` and ``faster_rcnn_R_50_FPN``."""

    layers = ('proposal_generator.rpn_head.objectness_logits',
              'proposal_generator.rpn_head.anchor_deltas',
              'roi_heads.box_predictor.cls_score', 'roi_heads.box_predictor.bbox_pred')
    size = (256, 320)

    def __init__(self, name: str, checkout: Path) -> None:
        from detectron2.config import get_cfg
        from detectron2.modeling import build_model
        cfg = get_cfg()
        kind = 'C4' if name.endswith('c4') else 'FPN'
        cfg.merge_from_file(str(
            checkout / f'configs/COCO-Detection/faster_rcnn_R_50_{kind}_1x.yaml'))
        cfg.MODEL.DEVICE, cfg.MODEL.WEIGHTS = 'cpu', ''
        cfg.MODEL.ROI_HEADS.NUM_CLASSES = NUM_CLASSES
        cfg.MODEL.RPN.POST_NMS_TOPK_TEST = 300
        self.net = build_model(cfg).eval()

    def pixels(self, rgb: np.ndarray):
        bgr = torch.from_numpy(rgb[::-1].copy()).float()
        return self.net._move_to_current_device(
            (bgr - self.net.pixel_mean) / self.net.pixel_std)

    def detect(self, images: torch.Tensor) -> list:
        from detectron2.structures import ImageList
        batch = ImageList(images, [self.size])
        feats = self.net.backbone(images)
        proposals, _ = self.net.proposal_generator(batch, feats)
        (found,), _ = self.net.roi_heads(batch, feats, proposals)
        return [found.pred_boxes.tensor, found.scores, found.pred_classes]


class Simple:
    """simple-faster-rcnn-pytorch, of which only the resizing is left out."""

    layers = 'rpn.score', 'rpn.loc', 'head.score', 'head.cls_loc'
    size = (250, 330)

    def __init__(self, name: str, checkout: Path) -> None:
        stub = ModuleType('skimage')  # resizes images, which are given as they are here
        stub.transform = None
        sys.modules['skimage'] = stub
        torch.Tensor.cuda = lambda self: self  # it asks for a GPU in passing
        from utils.config import opt
        opt.load_path = 'none'  # no download
        from model.faster_rcnn_vgg16 import FasterRCNNVGG16
        self.net = FasterRCNNVGG16(n_fg_class=NUM_CLASSES).eval()

    def pixels(self, rgb: np.ndarray):
        from data.dataset import pytorch_normalze
        return pytorch_normalze(rgb.astype(np.float32) / 255)

    def detect(self, images: torch.Tensor) -> list:
        (boxes,), (labels,), (scores,) = self.net.predict(images, sizes=[self.size])
        self.net.eval()
        return [boxes[:, [1, 0, 3, 2]], scores, labels]


class Bubbliiiing:
    """faster-rcnn-pytorch by bubbliiiing, where its maps are 16 times smaller."""

    layers = 'rpn.score', 'rpn.loc', 'head.score', 'head.cls_loc'
    size = (256, 320)

    def __init__(self, name: str, checkout: Path) -> None:
        from nets.frcnn import FasterRCNN
        from utils.utils_bbox import DecodeBox
        self.net = FasterRCNN(NUM_CLASSES, mode='predict', backbone=(
            'resnet50' if name.endswith('r50') else 'vgg')).eval()
        stds = torch.tensor([0.1, 0.1, 0.2, 0.2]).repeat(NUM_CLASSES + 1)[None]
        self.decode = DecodeBox(stds, NUM_CLASSES)

    def pixels(self, rgb: np.ndarray):
        from utils.utils import preprocess_input
        return preprocess_input(rgb.astype(np.float32))

    def detect(self, images: torch.Tensor) -> list:
        deltas, logits, rois, _ = self.net(images)
        (found,) = self.decode.forward(
            deltas, logits, rois, self.size, self.size, nms_iou=0.3, confidence=0.05)
        return [found[:, [1, 0, 3, 2]], found[:, 4], found[:, 5]]


PEERS = {'detectron2_r50_c4': Detectron2, 'detectron2_r50_fpn': Detectron2,
         'simple_vgg16': Simple, 'bubbliiiing_vgg16': Bubbliiiing,
         'bubbliiiing_r50': Bubbliiiing}


def settle(peer, images: torch.Tensor) -> tuple[dict, dict]:
    """Gains and biases of the last layers, in turn, for outputs of the spreads above.

    Without a bias what all regions have in common would choose the class.
    """
    gains, biases = {}, {}
    for name, spread in zip(peer.layers, SPREADS, strict=True):
        layer, values = peer.net.get_submodule(name), []
        layer.bias.data.zero_()
        hook = layer.register_forward_hook(
            lambda module, args, out, values=values: values.append(
                out.transpose(0, 1).flatten(1)))
        peer.detect(images)
        hook.remove()
        outputs = torch.cat(values, dim=1)
        mean = outputs.mean(1, keepdim=True)
        gain = float(f'{spread / (outputs - mean).std():.3g}')
        gains[f'{name}.weight'] = gain
        biases[f'{name}.bias'] = [round(x, 4) for x in (-gain * mean[:, 0]).tolist()]
        layer.weight.data *= gain
        layer.bias.data = torch.tensor(biases[f'{name}.bias'])
    return gains, biases


@torch.no_grad()
def main() -> None:
    name, checkout = sys.argv[1], Path(sys.argv[2])
    sys.path.insert(0, str(checkout))
    np.random.seed(0)
    peer = PEERS[name](name, checkout)
    shapes = {key: list(value.shape) for key, value in peer.net.state_dict().items()
              if 'pixel_' not in key and 'cell_anchors' not in key}
    peer.net.load_state_dict(random_state(shapes), strict=False)
    images = random_images(peer.size)
    gains, biases = settle(peer, images)
    boxes, scores, labels = (np.asarray(each) for each in peer.detect(images))
    order = np.argsort(-scores)
    rgb = np.array(RGB, dtype=np.uint8).T[:, None]  # (3, 1, 2)
    (STORED / f'{name}.json').write_text(json.dumps(dict(
        size=peer.size, gains=gains, biases=biases, rgb=RGB,
        pixels=np.asarray(peer.pixels(rgb)).round(5).tolist(),
        bboxes=boxes[order].astype(float).round(4).tolist(),
        scores=scores[order].astype(float).round(6).tolist(),
        labels=labels[order].astype(int).tolist(), shapes=shapes),
        separators=(',', ':')) + '\n')
    print(f'{name}: {len(boxes)} detections, labels {np.unique(labels)}, scores '
          f'{scores.min():.3f} to {scores.max():.3f}')


if __name__ == '__main__':
    main()
