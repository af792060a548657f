"""Faster R-CNN: backbone, region proposal network and second stage as one model.

Comes in: a batch of images with their data samples. Goes out: losses or detections.
"""

from collections.abc import Sequence

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import SampleList
from torch import Tensor

from ..accelerate.training import for_training
from ..mmdet_bridge.lists import (
    image_sizes,
    instances_to_proposals,
    pack_ground_truth,
    proposals_to_instances,
    rescale_bboxes,
    unpack,
)
from ..mmdet_bridge.stock_heads import StockRoIHead, StockRPNHead
from ..registry import MODELS
from ..structures import Detections, GroundTruth, Proposals, bbox2roi
from .training_phases import TrainingPhases


@MODELS.register_module()
class FasterRCNN(TrainingPhases, BaseDetector):
    """The detector of the paper; every part is a config.

    Follows mmdet's detector protocol. Between the stages flow padded batches; heads of
    mmdet may stand in for ours and are then given lists. Without ``rpn_head`` it is
    Fast R-CNN: the proposals come with the data samples. Without ``roi_head`` the
    proposals are the result, with their objectness as score.

    Source: Faster R-CNN (arXiv:1506.01497).

    Args:
        backbone: Config of the backbone, ours or mmdet's.
        rpn_head: Config of the RPN, ours or mmdet's; None for given proposals.
        roi_head: Config of the second stage, ours or mmdet's; None for proposals only.
        neck: Config of a neck, for example mmdet's ``FPN``.
        train_cfg: mmdet's ``rpn``, ``rpn_proposal`` and ``rcnn``, for heads that read
            them; ours name their settings themselves.
        test_cfg: mmdet's ``rpn`` and ``rcnn``.
        data_preprocessor: Config of mmdet's ``DetDataPreprocessor``.
        fast_training: Whether it is made ready by :func:`for_training`: the same losses
            to 1e-5, and gradients that round otherwise than the peers'.
        init_cfg: Initialisation of the whole; the parts have their own.
    """

    def __init__(self, backbone: dict, roi_head: dict | None = None,
                 rpn_head: dict | None = None, neck: dict | None = None,
                 train_cfg: dict | None = None, test_cfg: dict | None = None,
                 data_preprocessor: dict | None = None, fast_training: bool = False,
                 init_cfg: dict | None = None) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        self.train_cfg, self.test_cfg = train_cfg, test_cfg
        self.backbone = MODELS.build(backbone)
        self.neck = MODELS.build(neck) if neck else None
        self.rpn_head = None
        if rpn_head:
            cfgs = dict(train_cfg=(train_cfg or {}).get('rpn'),
                        test_cfg=(test_cfg or {}).get('rpn'))
            self.rpn_head = MODELS.build(with_cfgs(rpn_head, cfgs))
        self.roi_head = None
        if roi_head:
            cfgs = dict(train_cfg=(train_cfg or {}).get('rcnn'),
                        test_cfg=(test_cfg or {}).get('rcnn'))
            self.roi_head = MODELS.build(with_cfgs(roi_head, cfgs))
        if fast_training:
            for_training(self)

    with_rpn = property(lambda self: self.rpn_head is not None)
    with_roi_head = property(lambda self: self.roi_head is not None)

    def forward(self, inputs, data_samples: SampleList | None = None,
                mode: str = 'tensor'):
        """One of the ways through the network.

        Args:
            inputs: (B, 3, H, W) images, normalised and padded; for the modes ``rpn``
                and ``head`` a tuple, see there.
            data_samples: The samples of the images.
            mode: ``'loss'``, ``'predict'`` and ``'tensor'`` are mmdet's. The others run
                one part: ``'extractor'`` images to feature maps; ``'rpn'`` (feature
                maps, (B, 2) image sizes) to logits (B, N, 2), deltas (B, N, 4), anchors
                (N, 4) and proposals; ``'head'`` (feature maps, (R, 5) regions) to
                logits (R, C + 1) and deltas (R, 4 C).
        """
        if mode == 'extractor':
            return self.extract_feat(inputs)
        if mode == 'rpn':
            feats, sizes = inputs
            outputs = self.rpn_head.gather_outputs(*self.rpn_head(feats))
            proposals = self.rpn_head.select_proposals(outputs, sizes)
            return outputs.logits, outputs.deltas, outputs.anchors, proposals
        if mode == 'head':
            return self.roi_head.run_regions(*inputs)
        return super().forward(inputs, data_samples, mode)

    def extract_feat(self, batch_inputs: Tensor) -> tuple[Tensor, ...]:
        """Images (B, 3, H, W) to the feature maps of each level."""
        feats = self.backbone(batch_inputs)
        return feats if self.neck is None else self.neck(feats)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """The four losses, and the second stage's accuracy.

        Of a stage that is not there, or not trained at the moment
        (:meth:`train_stage`), there are none.

        Args:
            batch_inputs: (B, 3, H, W) images.
            batch_data_samples: Their samples with ``gt_instances``.

        Returns:
            dict: ``loss_rpn_cls``, ``loss_rpn_bbox``, ``loss_cls``, ``loss_bbox`` and
            ``acc``; scalars.
        """
        gt = pack_ground_truth([sample.gt_instances for sample in batch_data_samples])
        sizes = self._image_sizes(batch_inputs, batch_data_samples)
        feats = self.extract_feat(batch_inputs)
        if self._trained_stage == 'roi':
            losses, proposals = {}, self._fixed_proposals(
                batch_inputs, feats, sizes, batch_data_samples)
        else:
            losses, proposals = self._loss_and_propose(
                feats, gt, sizes, batch_data_samples)
        if self._trained_stage != 'rpn' and self.with_roi_head:
            losses.update(self._roi_head_for(batch_data_samples).loss_on(
                feats, proposals, gt))
        return losses

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList,
                rescale: bool = True) -> SampleList:
        """Detections, as ``pred_instances`` of the samples.

        Args:
            batch_inputs: (B, 3, H, W) images.
            batch_data_samples: Their samples.
            rescale: Whether boxes are wanted in pixels of the original images.
        """
        metas = [sample.metainfo for sample in batch_data_samples]
        sizes = self._image_sizes(batch_inputs, batch_data_samples)
        feats = None
        if self.with_rpn or self.with_roi_head:
            feats = self.extract_feat(batch_inputs)
        proposals = self._propose(feats, sizes, batch_data_samples)
        if self.with_roi_head:
            detections = self._roi_head_for(batch_data_samples).detect(
                feats, proposals, sizes)
        else:
            labels = torch.zeros_like(proposals.mask, dtype=torch.long)
            detections = Detections(
                proposals.bboxes, proposals.scores, labels, proposals.mask)
        if rescale:
            detections = rescale_bboxes(detections, metas)
        return self.add_pred_to_datasample(batch_data_samples, unpack(
            detections.mask, bboxes=detections.bboxes, scores=detections.scores,
            labels=detections.labels))

    @torch.no_grad()
    def propose(self, batch_inputs: Tensor, batch_data_samples: SampleList,
                training: bool = False) -> Proposals:
        """The proposals of a batch, in pixels of the network's input.

        Args:
            batch_inputs: (B, 3, H, W) images.
            batch_data_samples: Their samples.
            training: Whether as many are wanted as the second stage is trained on.
        """
        sizes = self._image_sizes(batch_inputs, batch_data_samples)
        feats = self.extract_feat(batch_inputs)
        return self._propose(feats, sizes, batch_data_samples, training)

    def _fixed_proposals(self, batch_inputs: Tensor, feats: Sequence[Tensor],
                         sizes: Tensor, samples: SampleList) -> Proposals:
        """Proposals to train the second stage on while the RPN is not trained."""
        if self._propose_for_training is not None:
            return self._propose_for_training(batch_inputs, samples)
        with torch.no_grad():
            return self._propose(feats, sizes, samples, training=True)

    def _forward(self, batch_inputs: Tensor,
                 batch_data_samples: SampleList | None = None) -> tuple:
        """Raw (R, C + 1) logits and (R, 4 C) deltas of the proposals."""
        sizes = self._image_sizes(batch_inputs, batch_data_samples)
        feats = self.extract_feat(batch_inputs)
        proposals = self._propose(feats, sizes, batch_data_samples)
        if not hasattr(self.roi_head, 'run_regions'):  # a RoI head of mmdet
            return self.roi_head.forward(
                feats, proposals_to_instances(proposals), batch_data_samples)
        return self.roi_head.run_regions(feats, bbox2roi(proposals.bboxes))

    def _loss_and_propose(self, feats: Sequence[Tensor], gt: GroundTruth, sizes: Tensor,
                          samples: SampleList) -> tuple[dict, Proposals]:
        if not self.with_rpn:
            return {}, given_proposals(samples)
        cfg = (self.train_cfg or {}).get('rpn_proposal')
        return self._rpn_head_for(samples).loss_and_propose(feats, gt, sizes, cfg)

    def _propose(self, feats: Sequence[Tensor], sizes: Tensor,
                 samples: SampleList | None, training: bool = False) -> Proposals:
        if not self.with_rpn:
            return given_proposals(samples)
        return self._rpn_head_for(samples).propose(feats, sizes, training)

    def _rpn_head_for(self, samples: SampleList):
        """The RPN, behind an adapter if it speaks mmdet's lists only."""
        dense = hasattr(self.rpn_head, 'loss_and_propose')
        return self.rpn_head if dense else StockRPNHead(
            self.rpn_head, samples, (self.test_cfg or {}).get('rpn'))

    def _roi_head_for(self, samples: SampleList):
        """The RoI head, behind an adapter if it speaks mmdet's lists only."""
        dense = hasattr(self.roi_head, 'loss_on')
        return self.roi_head if dense else StockRoIHead(self.roi_head, samples)

    @staticmethod
    def _image_sizes(batch_inputs: Tensor, samples: SampleList | None) -> Tensor:
        if samples is None:
            size = batch_inputs.shape[-2:]
            return batch_inputs.new_tensor([size] * len(batch_inputs))
        return image_sizes([sample.metainfo for sample in samples],
                           batch_inputs.device)


def with_cfgs(head: dict, cfgs: dict) -> dict:
    """A head's config with the detector's settings, where it has none of its own."""
    return {**{name: cfg for name, cfg in cfgs.items() if cfg is not None}, **head}


def given_proposals(samples: SampleList) -> Proposals:
    """The proposals that came with the data samples.

    Raises:
        ValueError: If they came with none.
    """
    if samples is None or any('proposals' not in sample for sample in samples):
        raise ValueError(
            'FasterRCNN without rpn_head needs proposals with its data: give the '
            'dataset a proposal_file and LoadProposals in its pipeline')
    return instances_to_proposals([sample.proposals for sample in samples])
