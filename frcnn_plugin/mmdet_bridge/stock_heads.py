"""mmdet's own heads with the interface of ours, so that they fit our detector.

Lists of instances come and go for each image, as these heads need them; the batch is
padded again after them.
"""

import copy
from collections.abc import Sequence

import torch
from mmdet.structures import DetDataSample, SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from ..ops import decode
from ..structures import Detections, GroundTruth, Proposals
from . import lists


class StockRPNHead:
    """A dense head of mmdet as a source of padded proposals.

    ``samples`` are those of this batch, if it came with any; of the detector's
    ``train_cfg`` it reads ``rpn_proposal``.
    """

    def __init__(self, head: nn.Module, samples: SampleList | None,
                 train_cfg: dict | None) -> None:
        self.head, self.samples = head, samples
        self.proposal_cfg = (train_cfg or {}).get('rpn_proposal') or head.test_cfg

    def run(self, features: Sequence[Tensor], image_sizes: Tensor, *, training: bool,
            gt: GroundTruth | None = None) -> tuple[Proposals, dict[str, Tensor]]:
        """See ``RPNHead.run``."""
        if gt is None:
            return self.propose(features, image_sizes, training), {}
        samples = [copy.copy(sample)
                   for sample in self.samples or samples_of(image_sizes, gt)]
        for sample in samples:  # every object is class 0 to an RPN of mmdet
            sample.gt_instances = copy.copy(sample.gt_instances)
            sample.gt_instances.labels = torch.zeros_like(sample.gt_instances.labels)
        losses, instances = self.head.loss_and_predict(
            features, samples, proposal_cfg=self.proposal_cfg)
        return lists.instances_to_proposals(instances), {
            name if 'rpn' in name else f'rpn_{name}': value
            for name, value in losses.items()}

    def propose(self, features: Sequence[Tensor], image_sizes: Tensor,
                training: bool) -> Proposals:
        """See ``RPNHead.propose``."""
        samples = self.samples or samples_of(image_sizes)
        return lists.instances_to_proposals(self.head.predict_by_feat(
            *self.head(features),
            batch_img_metas=[sample.metainfo for sample in samples],
            cfg=self.proposal_cfg if training else None, rescale=False))


class StockRoIHead:
    """A RoI head of mmdet on padded proposals, with the samples of this batch."""

    def __init__(self, head: nn.Module, samples: SampleList | None) -> None:
        self.head, self.samples = head, samples

    def losses(self, features: Sequence[Tensor], proposals: Proposals,
               gt: GroundTruth) -> dict[str, Tensor]:
        """See ``RoIHead.losses``."""
        return self.head.loss(features, lists.proposals_to_instances(proposals),
                              self.samples or samples_of(gt=gt))

    def detect(self, features: Sequence[Tensor], proposals: Proposals,
               image_sizes: Tensor) -> Detections:
        """See ``RoIHead.detect``."""
        return lists.instances_to_detections(self.head.predict(
            features, lists.proposals_to_instances(proposals),
            self.samples or samples_of(image_sizes), rescale=False))


def samples_of(image_sizes: Tensor | None = None,
               gt: GroundTruth | None = None) -> SampleList:
    """The data samples of a batch that came as tensors, as far as heads read them."""
    if image_sizes is None:
        samples = [DetDataSample() for _ in gt.mask]
    else:
        sizes = [(int(height), int(width)) for height, width in image_sizes.tolist()]
        whole = tuple(map(max, zip(*sizes, strict=True)))
        samples = [DetDataSample(metainfo=dict(
            img_shape=size, ori_shape=size, pad_shape=whole, batch_input_shape=whole,
            scale_factor=(1.0, 1.0))) for size in sizes]
    if gt is not None:
        for sample, instances in zip(samples, lists.unpack(**gt._asdict()),
                                     strict=True):
            sample.gt_instances = instances
            sample.ignored_instances = InstanceData(
                bboxes=gt.bboxes.new_zeros(0, 4), labels=gt.labels.new_zeros(0))
    return samples


def stock_bbox_losses(head: nn.Module, cls_score: Tensor, bbox_pred: Tensor | None,
                      rois: Tensor, labels: Tensor, deltas: Tensor,
                      mask: Tensor) -> dict[str, Tensor]:
    """The losses of a bbox head of mmdet, which divides by all rows it is given.

    So rows of padding, where the (R,) mask is False, are left out. The arguments are
    those of ``BBoxHead.losses`` and the (R, 5) regions.
    """
    labels, deltas = labels[mask], deltas[mask]
    positive = (labels < head.num_classes).unsqueeze(-1).expand_as(deltas)
    bbox_pred, rois = None if bbox_pred is None else bbox_pred[mask], rois[mask]
    if getattr(head, 'reg_decoded_bbox', False):  # its loss compares boxes: GIoU
        deltas = decode(head.bbox_coder, rois[:, 1:], deltas)
    return head.loss(cls_score[mask], bbox_pred, rois, labels,
                     torch.ones_like(labels, dtype=torch.float), deltas,
                     positive.float())
