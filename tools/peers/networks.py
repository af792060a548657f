"""Networks of the peers with random weights, and ours with the same ones.

Each peer is wrapped so that all answer the same questions in the same shapes.
"""

from functools import partial
from types import SimpleNamespace

import torch
from mmengine.config import ConfigDict
from mmengine.hub import get_config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData
from torch import Tensor, nn
from torchvision.models.detection import fasterrcnn_resnet50_fpn
from torchvision.models.detection.image_list import ImageList

from frcnn_plugin.interop import recognise
from frcnn_plugin.interop.configure import build, peer_config
from frcnn_plugin.mmdet_bridge.lists import image_sizes, pack_ground_truth

SIZE = (224, 352)  # on the coarsest of five levels 3.5 x 5.5 cells
NUM_CLASSES = 6
EVERYTHING = 10**6  # samples: sampling switched off
PROPOSALS = 40, 100  # of each image in training and in test


class MMDet:
    """A stock detector of mmdet, from the config in its own package.

    With ``train_all`` no stage and no normalisation is fixed; ``limits`` are the most
    proposals in training and in test.
    """

    def __init__(self, name: str, style: str, num_classes: int = NUM_CLASSES,
                 train_all: bool = True, limits: tuple[int, int] = PROPOSALS) -> None:
        cfg = get_config(f'mmdet::faster_rcnn/{name}.py').model
        for part in (cfg.backbone, cfg.roi_head.get('shared_head', ConfigDict())):
            part.style, part.init_cfg = style, None
            if train_all:
                part.norm_cfg = dict(type='BN', requires_grad=True)
        if train_all:
            cfg.backbone.frozen_stages = -1
        cfg.roi_head.bbox_head.num_classes = num_classes
        cfg.train_cfg.rpn.sampler.num = EVERYTHING
        cfg.train_cfg.rcnn.sampler.update(num=EVERYTHING, pos_fraction=1.0)
        self.limits = limits
        cfg.train_cfg.rpn_proposal.max_per_img, cfg.test_cfg.rpn.max_per_img = limits
        with DefaultScope.overwrite_default_scope('mmdet'):
            from mmdet.registry import MODELS
            self.net = MODELS.build(cfg)
        self.net.init_weights()
        self.backbone, self.shared_head = self.net.backbone, getattr(
            self.net.roi_head, 'shared_head', None)
        rpn, head = self.net.rpn_head, self.net.roi_head.bbox_head
        self.predictors = rpn.rpn_cls, rpn.rpn_reg, head.fc_cls, head.fc_reg

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        return self.net.extract_feat(images)

    def rpn_maps(self, feats) -> tuple[list, list]:
        return self.net.rpn_head(feats)

    def anchors(self, feats) -> Tensor:
        return torch.cat(self.net.rpn_head.prior_generator.grid_priors(
            [level.shape[-2:] for level in feats], device='cpu'))

    def encode(self, bboxes: Tensor, gt: Tensor) -> Tensor:
        return self.net.roi_head.bbox_head.bbox_coder.encode(bboxes, gt)

    def decode(self, bboxes: Tensor, deltas: Tensor) -> Tensor:
        return self.net.roi_head.bbox_head.bbox_coder.decode(bboxes, deltas)

    def anchor_labels(self, feats, samples) -> Tensor:
        """(B, N) 1, 0 or -1."""
        anchors, labels = self.anchors(feats), []
        for sample in samples:
            found = self.net.rpn_head.assigner.assign(
                InstanceData(priors=anchors), sample.gt_instances)
            labels.append(found.gt_inds.clamp(max=1))
        return torch.stack(labels)

    def region_labels(self, bboxes: Tensor, sample) -> Tensor:
        """(P,) classes of proposals, the background last."""
        found = self.net.roi_head.bbox_assigner.assign(
            InstanceData(priors=bboxes), sample.gt_instances)
        return torch.where(found.gt_inds > 0, found.labels, NUM_CLASSES)

    def proposals(self, feats, samples, training: bool) -> list[Tensor]:
        cfg = self.net.train_cfg.rpn_proposal if training else self.net.test_cfg.rpn
        maps = self.net.rpn_head(feats)
        metas = [sample.metainfo for sample in samples]
        return [found.bboxes for found in self.net.rpn_head.predict_by_feat(
            *maps, batch_img_metas=metas, cfg=cfg)]

    def pooled(self, feats, rois: Tensor) -> Tensor:
        extractor = self.net.roi_head.bbox_roi_extractor
        return extractor(feats[:extractor.num_inputs], rois)

    def heads(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        if self.shared_head is not None:
            pooled = self.shared_head(pooled)
        return self.net.roi_head.bbox_head(pooled)

    def losses(self, images: Tensor, samples) -> dict[str, Tensor]:
        losses = self.net.loss(images, samples)
        return {name: sum(value) if isinstance(value, list) else value
                for name, value in losses.items() if 'loss' in name}

    def detections(self, images: Tensor, samples) -> list:
        found = self.net.predict(images, samples, rescale=False)
        return [sample.pred_instances for sample in found]

    def detections_in(self, boxes: Tensor, feats, samples) -> list:
        """Detections of given (B, R, 4) regions."""
        given = [InstanceData(bboxes=each) for each in boxes]
        return self.net.roi_head.predict(feats, given, samples, rescale=False)


class TorchVision:
    """``fasterrcnn_resnet50_fpn``; ``train_all`` is what it does in any case."""

    def __init__(self, num_classes: int = NUM_CLASSES, train_all: bool = True,
                 limits: tuple[int, int] = PROPOSALS, **options) -> None:
        self.limits = limits
        self.net = fasterrcnn_resnet50_fpn(
            weights=None, weights_backbone=None, num_classes=num_classes + 1,
            trainable_backbone_layers=5, rpn_batch_size_per_image=EVERYTHING,
            box_batch_size_per_image=EVERYTHING, box_positive_fraction=1.0,
            rpn_post_nms_top_n_train=limits[0], rpn_post_nms_top_n_test=limits[1],
            **options)
        self.backbone, self.shared_head = self.net.backbone.body, None
        rpn, head = self.net.rpn.head, self.net.roi_heads.box_predictor
        self.predictors = rpn.cls_logits, rpn.bbox_pred, head.cls_score, head.bbox_pred

    def features(self, images: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.net.backbone(images).values())

    def rpn_maps(self, feats) -> tuple[list, list]:
        return self.net.rpn.head(list(feats))

    def anchors(self, feats) -> Tensor:
        images = ImageList(torch.zeros(1, 3, *SIZE), [SIZE])
        return self.net.rpn.anchor_generator(images, list(feats))[0]

    def encode(self, bboxes: Tensor, gt: Tensor) -> Tensor:
        return self.net.roi_heads.box_coder.encode_single(gt, bboxes)

    def decode(self, bboxes: Tensor, deltas: Tensor) -> Tensor:
        return self.net.roi_heads.box_coder.decode_single(deltas, bboxes)

    def anchor_labels(self, feats, samples) -> Tensor:
        anchors = self.anchors(feats)
        labels, _ = self.net.rpn.assign_targets_to_anchors(
            [anchors] * len(samples), targets_of(samples))
        return torch.stack(labels).long()

    def region_labels(self, bboxes: Tensor, sample) -> Tensor:
        (target,) = targets_of([sample])
        _, (labels,) = self.net.roi_heads.assign_targets_to_proposals(
            [bboxes], [target['boxes']], [target['labels']])
        return torch.where(labels > 0, labels - 1, NUM_CLASSES)

    def proposals(self, feats, samples, training: bool) -> list[Tensor]:
        self.net.rpn.train(training)
        sizes = [sample.metainfo['img_shape'] for sample in samples]
        images = ImageList(torch.zeros(len(samples), 3, *sizes[0]), sizes)
        found, _ = self.net.rpn(
            images, self._named(feats), targets_of(samples) if training else None)
        self.net.rpn.eval()
        return found

    def pooled(self, feats, rois: Tensor) -> Tensor:
        images = int(rois[:, 0].max()) + 1
        size = tuple(4 * side for side in feats[0].shape[-2:])
        return self.net.roi_heads.box_roi_pool(
            self._named(feats), [rois[rois[:, 0] == i, 1:] for i in range(images)],
            [size] * images)

    def heads(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        logits, deltas = self.net.roi_heads.box_predictor(
            self.net.roi_heads.box_head(pooled))
        return logits.roll(-1, 1), deltas.roll(-4, 1)

    def losses(self, images: Tensor, samples) -> dict[str, Tensor]:
        self.net.rpn.train()
        self.net.roi_heads.train()
        feats, targets = self.net.backbone(images), targets_of(samples)
        found, losses = self.net.rpn(ImageList(images, [SIZE] * 2), feats, targets)
        _, more = self.net.roi_heads(feats, found, [SIZE] * 2, targets)
        self.net.eval()
        return dict(loss_rpn_cls=losses['loss_objectness'],
                    loss_rpn_bbox=losses['loss_rpn_box_reg'],
                    loss_cls=more['loss_classifier'], loss_bbox=more['loss_box_reg'])

    def detections(self, images: Tensor, samples) -> list:
        feats = self.net.backbone(images)
        found, _ = self.net.rpn(ImageList(images, [SIZE] * 2), feats)
        found, _ = self.net.roi_heads(feats, found, [SIZE] * 2)
        return as_instances(found)

    def detections_in(self, boxes: Tensor, feats, samples) -> list:
        """Detections of given (B, R, 4) regions."""
        sizes = [sample.metainfo['img_shape'] for sample in samples]
        found, _ = self.net.roi_heads(self._named(feats), list(boxes), sizes)
        return as_instances(found)

    def _named(self, feats) -> dict[str, Tensor]:
        return dict(zip(['0', '1', '2', '3', 'pool'], feats, strict=True))


def as_instances(found: list[dict]) -> list[SimpleNamespace]:
    """torchvision's detections under mmdet's names."""
    return [SimpleNamespace(bboxes=each['boxes'], scores=each['scores'],
                            labels=each['labels'] - 1) for each in found]


def targets_of(samples) -> list[dict]:
    """torchvision's targets: class 0 is the background."""
    return [dict(boxes=sample.gt_instances.bboxes,
                 labels=sample.gt_instances.labels + 1) for sample in samples]


PEERS = {
    'mmdet R50-C4': partial(MMDet, 'faster-rcnn_r50-caffe_c4-1x_coco', 'pytorch'),
    'mmdet R50-C4, caffe': partial(MMDet, 'faster-rcnn_r50-caffe_c4-1x_coco', 'caffe'),
    'mmdet R50-FPN': partial(MMDet, 'faster-rcnn_r50_fpn_1x_coco', 'pytorch'),
    'torchvision R50-FPN': TorchVision,
}


def settle(peer, images: Tensor | None = None) -> None:
    """Bring random weights to the spread that trained ones have.

    Untouched they make scores that are all alike and boxes beyond all bounds, in which
    no comparison finds anything.
    """
    images = torch.randn(1, 3, *SIZE) if images is None else images
    calibrate(peer.backbone, images)
    if peer.shared_head is not None:
        calibrate(peer.shared_head, torch.randn(8, 1024, 14, 14).relu())
    with torch.no_grad():
        feats = peer.features(images)
        logits, deltas = peer.rpn_maps(feats)
        rois = torch.rand(24, 2) * 100
        rois = torch.cat([torch.zeros(24, 1), rois, rois + 20 + 100 * torch.rand(
            24, 2)], dim=1)
        outputs = peer.heads(peer.pooled(feats, rois))
        rpn_outputs = [torch.cat([level.flatten() for level in maps]).view(-1, 1)
                       for maps in (logits, deltas)]
        for layer, values, spread in zip(
                peer.predictors, (*rpn_outputs, *outputs), (2.0, 0.3, 2.0, 1.0),
                strict=True):
            mean = values.mean(0)  # what all regions have in common says nothing
            gain = spread / (values - mean).std()
            layer.weight *= gain
            layer.bias.copy_(-gain * mean)


def calibrate(module: nn.Module, inputs: Tensor) -> None:
    """Statistics of the batch normalisations from one batch; then they are fixed.

    The blocks add little to what passes them by, as in trained networks; else a
    difference in the last bit of a pixel grows a thousandfold.
    """
    norms = {name: norm for name, norm in module.named_modules()
             if isinstance(norm, nn.BatchNorm2d)}
    for name, norm in norms.items():
        norm.train()
        norm.momentum = 1.0
        if name.endswith('bn3'):
            nn.init.constant_(norm.weight, 0.2)
    with torch.no_grad():
        module(inputs)
    module.eval()
    for norm in norms.values():
        norm.momentum = 0.1


def converted(peer, style: str | None = None, train_all: bool = True) -> nn.Module:
    """Our detector with the weights of a peer, from the config that convert writes."""
    state = peer.net.state_dict()
    (kind,) = recognise(state)
    state = kind.to_ours(state)
    cfg = peer_config(kind, state, [f'class {i}' for i in range(NUM_CLASSES)], style,
                      'voc')
    cfg.model.rpn_head.target_sampler.num = -1
    cfg.model.roi_head.target_sampler.num = -1
    creator = cfg.model.rpn_head.proposal_creator
    creator.train.max_per_img, creator.test.max_per_img = peer.limits
    if train_all:
        unfreeze(cfg.model)
    net = build(cfg)
    net.load_state_dict(state)
    return net.eval()


def unfreeze(model: ConfigDict) -> None:
    """Let a config train every stage and every normalisation."""
    for part in (model.backbone, model.roi_head.get('shared_head', {})):
        if part.get('type') == 'mmdet.ResNet':
            part.update(frozen_stages=-1, norm_cfg=dict(type='BN', requires_grad=True))
        elif part.get('type'):
            part['norm_requires_grad'] = True
    if 'norm_cfg' not in model.backbone:
        model.backbone.frozen_stages = -1


def ground_truth(samples):
    """The samples' boxes and image sizes as our stages take them."""
    return (pack_ground_truth([sample.gt_instances for sample in samples]),
            image_sizes([sample.metainfo for sample in samples], 'cpu'))

