"""Class scores and box deltas of every region."""

from collections.abc import Sequence

from mmengine.model import BaseModule
from torch import Tensor, nn

from ..mmdet_bridge.roi_head import MMDetBBoxHead
from ..ops import check_delta_loss, count_samples, gather_rows, masked_mean
from ..registry import MODELS, TASK_UTILS
from ..structures import Detections, Proposals
from .detections import detections_of


@MODELS.register_module()
class BBoxHead(MMDetBBoxHead, BaseModule):
    """Optional fully connected layers, then one linear layer each for class and box.

    Follows mmdet's bbox-head protocol.

    Source: Fast R-CNN (arXiv:1504.08083), section 2.

    Args:
        num_classes: C, without the background, which is class C.
        in_channels: Channels of the pooled features.
        roi_feat_size: Their height and width.
        with_avg_pool: Whether they are averaged over height and width, as after a
            ResNet's last stage, or flattened.
        fc_channels: Output channels of the fully connected layers, each with a ReLU.
        with_reg: Whether boxes are refined; without it the proposals are the result.
        reg_class_agnostic: Whether all classes share one set of 4 deltas.
        reg_background: Whether the background has deltas too, which nothing reads: with
            them the layer has 84 channels for 20 classes, as in py-faster-rcnn,
            chainercv and torchvision; by Fast R-CNN's section 2.1 it has 80.
        bbox_coder: Config of one of mmdet's box coders. Default: deltas over stds (0.1,
            0.1, 0.2, 0.2).
        loss_cls: Config of the loss on classes. Default: cross entropy.
        loss_bbox: Config of the loss on deltas. Default: smooth L1 with beta 1.
        cls_init_std: Std of the initial weights for classes. The paper's 0.01 suits
            pretrained features; on the scale of random ones it makes the first losses
            far larger than ln(C + 1).
        init_cfg: Initialisation. Default: as in the paper normal, with std 0.001 for
            deltas; Xavier for the fully connected layers.

    Both losses are divided by the number of sampled regions, averaged over the
    processes of a distributed job.

    Raises:
        ValueError: If ``loss_bbox`` compares boxes instead of deltas.
    """

    def __init__(self, num_classes: int, in_channels: int = 2048,
                 roi_feat_size: int = 7, with_avg_pool: bool = True,
                 fc_channels: Sequence[int] = (), with_reg: bool = True,
                 reg_class_agnostic: bool = False, reg_background: bool = False,
                 bbox_coder: dict | None = None, loss_cls: dict | None = None,
                 loss_bbox: dict | None = None, cls_init_std: float = 0.01,
                 init_cfg: dict | list | None = None) -> None:
        overrides = [dict(type='Normal', std=cls_init_std,
                          override=dict(name='fc_cls'))]
        if with_reg:
            overrides += [dict(type='Normal', std=0.001, override=dict(name='fc_reg'))]
        if fc_channels:
            overrides += [dict(type='Xavier', distribution='uniform',
                               override=dict(name='shared_fcs'))]
        super().__init__(init_cfg=init_cfg or overrides)
        self.num_classes = num_classes
        self.with_avg_pool = with_avg_pool
        self.with_reg = with_reg
        self.reg_class_agnostic = reg_class_agnostic
        self.bbox_coder = TASK_UTILS.build(bbox_coder or dict(
            type='DeltaXYWHBBoxCoder', target_stds=(0.1, 0.1, 0.2, 0.2)))
        self.loss_cls = MODELS.build(loss_cls or dict(type='CrossEntropyLoss'))
        self.loss_bbox = check_delta_loss(
            MODELS.build(loss_bbox or dict(type='SmoothL1Loss')))

        width = in_channels if with_avg_pool else in_channels * roi_feat_size**2
        layers = []
        for channels in fc_channels:
            layers += [nn.Linear(width, channels), nn.ReLU(inplace=True)]
            width = channels
        self.shared_fcs = nn.Sequential(*layers)
        self.fc_cls = nn.Linear(width, num_classes + 1)
        if with_reg:
            sets = 1 if reg_class_agnostic else num_classes + int(reg_background)
            self.fc_reg = nn.Linear(width, 4 * sets)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Scores and deltas of (R, in_channels, h, w) pooled features.

        Returns:
            tuple: (R, C + 1) logits, the background last, and (R, 4 C), (R, 4 C + 4)
            or (R, 4) deltas, the background's last, or None without regression.
        """
        x = x.mean((2, 3)) if self.with_avg_pool else x.flatten(1)
        x = self.shared_fcs(x)
        return self.fc_cls(x), self.fc_reg(x) if self.with_reg else None

    def losses(self, cls_score: Tensor, bbox_pred: Tensor | None, labels: Tensor,
               deltas: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """The two losses of the second stage, and the accuracy.

        Args:
            cls_score: (R, C + 1) logits.
            bbox_pred: Deltas as :meth:`forward` gives them, or None.
            labels: (R,) int64 in [0, C].
            deltas: (R, 4) targets.
            mask: (R,) bool; False rows take no part.

        Returns:
            dict: Scalars ``loss_cls``, ``loss_bbox`` and ``acc`` (in percent).
        """
        normalizer = count_samples(mask)
        cls_score = cls_score.float()
        loss_cls = self.loss_cls(cls_score, labels, reduction_override='none')
        hits = (cls_score.argmax(1) == labels) & mask
        result = dict(loss_cls=masked_mean(loss_cls, mask, normalizer),
                      acc=100 * hits.sum() / mask.sum().clamp(min=1))
        if bbox_pred is None:
            return result
        bbox_pred = bbox_pred.float()
        if not self.reg_class_agnostic:  # each region's own; any for the background
            own = labels.clamp(max=self.num_classes - 1).view(-1, 1)
            bbox_pred = gather_rows(bbox_pred.unflatten(1, (-1, 4)), own).squeeze(1)
        loss_bbox = self.loss_bbox(bbox_pred, deltas, reduction_override='none')
        positive = mask & (labels < self.num_classes)
        result['loss_bbox'] = masked_mean(loss_bbox, positive, normalizer)
        return result

    def detections(self, cls_score: Tensor, bbox_pred: Tensor | None,
                   proposals: Proposals, image_sizes: Tensor, cfg: dict) -> Detections:
        """See :func:`frcnn_plugin.roi.detections.detections_of`."""
        return detections_of(cls_score, bbox_pred, proposals, image_sizes,
                             self.bbox_coder, self.num_classes, cfg)
