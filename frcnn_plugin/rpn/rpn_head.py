"""The region proposal network: feature maps to objectness, deltas and proposals."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn

from ..mmdet_bridge.dense_head import MMDetDenseHead
from ..mmdet_bridge.settings import proposal_settings
from ..mmdet_bridge.stock_targets import StockAnchorTargets
from ..ops import check_delta_loss, count_samples, masked_mean
from ..registry import MODELS, TASK_UTILS
from ..structures import AnchorTargets, GroundTruth, Proposals
from .anchor_generator import valid_mask
from .proposal_creator import ProposalCreator

# the paper's, under names that are ours whatever the scope of the config
ANCHORS = dict(type='frcnn_plugin.AnchorGenerator', style='classic', strides=[16],
               ratios=[0.5, 1.0, 2.0], scales=[8, 16, 32])
TARGETS = dict(type='frcnn_plugin.AnchorTargetSampler')
PROPOSALS = dict(type='frcnn_plugin.ProposalCreator')


class RPNOutputs(NamedTuple):
    """The RPN's outputs for every anchor, all levels concatenated."""

    logits: Tensor  # (B, N, 2) float32 for (background, foreground), or (B, N, 1)
    deltas: Tensor  # (B, N, 4) float32
    anchors: Tensor  # (N, 4) float32
    featmap_sizes: list  # (H, W) of each level
    level_sizes: list  # anchors of each level; they sum to N


@MODELS.register_module()
class RPNHead(MMDetDenseHead, BaseModule):
    """A small network that slides over the feature map and says where objects are.

    :meth:`run` is all of it, in five steps. It also follows mmdet's dense-head protocol
    (``loss``, ``predict``, ``loss_and_predict``), so that it serves stock detectors.
    Its own arguments (``target_sampler``, ``proposal_creator``) take precedence over
    ``train_cfg`` and ``test_cfg``, in which stock configs name assigners, samplers and
    proposal settings.

    Source: Faster R-CNN (arXiv:1506.01497), section 3.1. The paper has two logits per
    anchor and a softmax; mmdet, detectron2 and torchvision have one and a sigmoid.

    Args:
        in_channels: Channels of the feature maps.
        feat_channels: Channels of the hidden convolutions.
        num_convs: How many 3x3 convolutions come before the predictors.
        predictor_kernel_size: Kernel of the two predictors.
        anchor_generator: Config of the anchors.
        bbox_coder: Config of one of mmdet's box coders.
        target_sampler: Config of the target sampler. Default: ``train_cfg.assigner``
            if there is one, else ``AnchorTargetSampler`` with the paper's numbers.
        proposal_creator: Config of the proposal creator. Default: the settings that
            ``test_cfg`` and the detector hand over, else the paper's.
        loss_cls: Config of the objectness loss; ``use_sigmoid`` chooses one logit.
            Default: cross entropy over two.
        loss_bbox: Config of the loss on deltas. Default: smooth L1 with beta 1/9, which
            is sigma 3 in py-faster-rcnn.
        num_classes: Given by stock detectors; always 1.
        train_cfg: mmdet's ``train_cfg.rpn``, with ``rpn_proposal`` inside.
        test_cfg: mmdet's ``test_cfg.rpn``.
        cls_init_std: Std of the initial weights for objectness, see ``BBoxHead``.
        mask_padding: Whether positions on the padding of a batch take no part. In
            mmdet, torchvision and detectron2 they propose like all others.
        init_cfg: Initialisation; as in the paper a normal with std 0.01.

    Both losses are divided by the number of sampled anchors, averaged over the
    processes of a distributed job. The paper divides the box loss by the number of
    positions, about 2400, and multiplies it by 10, which is nearly the same.

    Raises:
        ValueError: If ``num_classes`` is not 1, or ``loss_bbox`` compares boxes.
    """

    def __init__(self, in_channels: int, feat_channels: int = 512, num_convs: int = 1,
                 predictor_kernel_size: int = 1, anchor_generator: dict | None = None,
                 bbox_coder: dict | None = None, target_sampler: dict | None = None,
                 proposal_creator: dict | None = None, loss_cls: dict | None = None,
                 loss_bbox: dict | None = None, num_classes: int = 1,
                 train_cfg: dict | None = None, test_cfg: dict | None = None,
                 cls_init_std: float = 0.01, mask_padding: bool = True,
                 init_cfg: dict | None = None) -> None:
        super().__init__(init_cfg=init_cfg or dict(
            type='Normal', layer='Conv2d', std=0.01,
            override=dict(type='Normal', name='rpn_cls', std=cls_init_std)))
        if num_classes != 1:
            raise ValueError(f'RPNHead knows objects from background only; '
                             f'num_classes must be 1, not {num_classes}')
        loss_cls = loss_cls or dict(type='CrossEntropyLoss')
        self.use_sigmoid_cls = loss_cls.get('use_sigmoid', False)
        self.cls_out_channels = 1 if self.use_sigmoid_cls else 2
        self.prior_generator = TASK_UTILS.build(anchor_generator or ANCHORS)
        self.bbox_coder = TASK_UTILS.build(
            bbox_coder or dict(type='DeltaXYWHBBoxCoder'))
        self.loss_cls = MODELS.build(loss_cls)
        self.loss_bbox = check_delta_loss(MODELS.build(
            loss_bbox or dict(type='SmoothL1Loss', beta=1 / 9)))
        self.mask_padding = mask_padding
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        if target_sampler is None and train_cfg and train_cfg.get('assigner'):
            self.target_sampler = StockAnchorTargets(train_cfg)
        else:
            self.target_sampler = TASK_UTILS.build(target_sampler or TARGETS)
        self.has_own_creator = proposal_creator is not None or test_cfg is None
        if proposal_creator is None and test_cfg is not None:
            proposal_creator = proposal_settings(
                test_cfg, (train_cfg or {}).get('rpn_proposal'))
        self.proposal_creator = TASK_UTILS.build(proposal_creator or PROPOSALS)

        num_anchors = self.prior_generator.num_base_priors[0]
        channels = [in_channels] + [feat_channels] * num_convs
        self.rpn_conv = nn.ModuleList(
            nn.Conv2d(a, b, 3, padding=1) for a, b in pairwise(channels))
        self.rpn_cls, self.rpn_reg = (
            nn.Conv2d(channels[-1], num_anchors * outputs, predictor_kernel_size,
                      padding=predictor_kernel_size // 2)
            for outputs in (self.cls_out_channels, 4))

    def run(self, features: Sequence[Tensor], image_sizes: Tensor, *, training: bool,
            gt: GroundTruth | None = None, creator: ProposalCreator | None = None
            ) -> tuple[Proposals, dict[str, Tensor]]:
        """The whole first stage.

        Args:
            features: (B, in_channels, H, W) per level.
            image_sizes: (B, 2) height and width of each image.
            training: Whether the limits for training apply.
            gt: Padded ground truth, for the losses; its class labels are not used.
            creator: A proposal creator in place of the head's own.

        Returns:
            tuple: The proposals of the batch, without gradients, and the losses, a dict
            that is empty without ground truth.
        """
        # 1. slide the small network over the maps
        logits, deltas = self(features)
        # 2. one row for each anchor, whatever its level
        outputs = self.gather_outputs(logits, deltas)
        losses = {}
        if gt is not None:
            # 3. label the anchors by the boxes that they overlap with, and pick a few
            targets = self.assign_targets(outputs, gt, image_sizes)
            # 4. cross entropy on objectness, smooth L1 on the deltas of objects
            losses = self.losses(outputs, targets)
        # 5. move the best anchors by their deltas, and suppress those that overlap
        proposals = self.select_proposals(
            outputs, image_sizes, training=training, creator=creator)
        return proposals, losses

    def propose(self, features: Sequence[Tensor], image_sizes: Tensor,
                training: bool) -> Proposals:
        """The proposals of :meth:`run` alone."""
        return self.run(features, image_sizes, training=training)[0]

    def forward(self, x: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Raw maps of each level, from its (B, in_channels, H, W).

        Returns:
            tuple: Lists of (B, K * 2, H, W) or (B, K, H, W) logits, and of
            (B, K * 4, H, W) deltas.
        """
        logits, deltas = [], []
        for feature in x:
            for conv in self.rpn_conv:
                feature = conv(feature).relu()
            logits.append(self.rpn_cls(feature))
            deltas.append(self.rpn_reg(feature))
        return logits, deltas

    def gather_outputs(self, logits: Sequence[Tensor],
                       deltas: Sequence[Tensor]) -> RPNOutputs:
        """Bring the maps that :meth:`forward` returns into the order of the anchors."""
        featmap_sizes = [tuple(level.shape[-2:]) for level in logits]
        anchors = self.prior_generator.grid_priors(
            featmap_sizes, device=logits[0].device)
        return RPNOutputs(
            rows_of_anchors(logits, self.cls_out_channels), rows_of_anchors(deltas, 4),
            torch.cat(anchors), featmap_sizes, [level.size(0) for level in anchors])

    def assign_targets(self, outputs: RPNOutputs, gt: GroundTruth,
                       image_sizes: Tensor) -> AnchorTargets:
        """What the outputs of the anchors should be."""
        return self.target_sampler(
            outputs.anchors, gt, image_sizes, self.bbox_coder,
            self.on_image(outputs, image_sizes))

    def losses(self, outputs: RPNOutputs, targets: AnchorTargets) -> dict[str, Tensor]:
        """The scalars ``loss_rpn_cls`` and ``loss_rpn_bbox``."""
        labels, deltas = targets
        normalizer = count_samples(labels >= 0)
        logits = outputs.logits.flatten(0, 1)
        if self.use_sigmoid_cls:
            logits = logits.squeeze(-1)  # of the labels' shape: mmdet expands others
        loss_cls = self.loss_cls(
            logits, labels.flatten().clamp(min=0), reduction_override='none')
        loss_bbox = self.loss_bbox(outputs.deltas, deltas, reduction_override='none')
        return dict(
            loss_rpn_cls=masked_mean(loss_cls, labels.flatten() >= 0, normalizer),
            loss_rpn_bbox=masked_mean(loss_bbox, labels == 1, normalizer))

    def select_proposals(self, outputs: RPNOutputs, image_sizes: Tensor, *,
                         training: bool,
                         creator: ProposalCreator | None = None) -> Proposals:
        """The proposals of a batch; arguments as those of :meth:`run`."""
        objectness = self.objectness(outputs)
        on_image = self.on_image(outputs, image_sizes)
        if on_image is not None:
            objectness = objectness.masked_fill(~on_image, float('-inf'))
        return (creator or self.proposal_creator)(
            objectness, outputs.deltas, outputs.anchors, image_sizes,
            self.bbox_coder, training=training, level_sizes=outputs.level_sizes,
            ranks=self.ranks(outputs))

    def objectness(self, outputs: RPNOutputs) -> Tensor:
        """(B, N) probability that an anchor holds an object."""
        if self.use_sigmoid_cls:
            return outputs.logits.squeeze(-1).sigmoid()
        return outputs.logits.softmax(-1)[..., 1]

    def ranks(self, outputs: RPNOutputs) -> Tensor:
        """(B, N) scores that rank like the probabilities and do not saturate at 1."""
        logits = outputs.logits
        if self.use_sigmoid_cls:
            return logits.squeeze(-1)
        return logits[..., 1] - logits[..., 0]

    def on_image(self, outputs: RPNOutputs, image_sizes: Tensor) -> Tensor | None:
        """(B, N) bool: False on the padding of an image; None if all take part."""
        if not self.mask_padding:
            return None
        return valid_mask(self.prior_generator, outputs.featmap_sizes, image_sizes)


def rows_of_anchors(maps: Sequence[Tensor], channels: int) -> Tensor:
    """(B, K * channels, H, W) predictions per level, as (B, N, channels) float32."""
    rows = [level.permute(0, 2, 3, 1).reshape(level.size(0), -1, channels)
            for level in maps]
    return torch.cat(rows, dim=1).float()
