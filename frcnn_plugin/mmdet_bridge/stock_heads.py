"""mmdet's own heads behind our padded interface, so that they fit our detector.

Lists of instances come and go for each image, as these heads need them; the batch is
padded again behind them.
"""

import copy
from collections.abc import Sequence

from mmdet.structures import SampleList
from torch import Tensor

from ..structures import Detections, GroundTruth, Proposals
from .lists import instances_to_proposals, pad_rows, proposals_to_instances


class StockRPNHead:
    """A dense head of mmdet as a source of padded proposals.

    Args:
        head: The head.
        samples: The data samples of this batch.
        test_cfg: mmdet's ``test_cfg.rpn``.
    """

    def __init__(self, head, samples: SampleList, test_cfg: dict | None) -> None:
        self.head, self.samples, self.test_cfg = head, samples, test_cfg

    def loss_and_propose(self, x: Sequence[Tensor], gt: GroundTruth,
                         image_sizes: Tensor, cfg: dict | None = None
                         ) -> tuple[dict, Proposals]:
        """See :meth:`RPNHead.loss_and_propose`."""
        samples = [copy.copy(sample) for sample in self.samples]
        for sample in samples:  # every object is class 0 to an RPN of mmdet
            sample.gt_instances = copy.copy(sample.gt_instances)
            sample.gt_instances.labels = sample.gt_instances.labels.new_zeros(
                len(sample.gt_instances))
        losses, instances = self.head.loss_and_predict(
            x, samples, proposal_cfg=cfg or self.test_cfg)
        losses = {name if 'rpn' in name else f'rpn_{name}': value
                  for name, value in losses.items()}
        return losses, instances_to_proposals(instances)

    def propose(self, x: Sequence[Tensor], image_sizes: Tensor,
                training: bool = False) -> Proposals:
        """See :meth:`RPNHead.propose`; the numbers are those of ``test_cfg.rpn``."""
        return instances_to_proposals(
            self.head.predict(x, self.samples, rescale=False))


class StockRoIHead:
    """A RoI head of mmdet on padded proposals.

    Args:
        head: The head.
        samples: The data samples of this batch.
    """

    def __init__(self, head, samples: SampleList) -> None:
        self.head, self.samples = head, samples

    def loss_on(self, x: Sequence[Tensor], proposals: Proposals,
                gt: GroundTruth) -> dict:
        """See :meth:`RoIHead.loss_on`."""
        return self.head.loss(x, proposals_to_instances(proposals), self.samples)

    def detect(self, x: Sequence[Tensor], proposals: Proposals,
               image_sizes: Tensor) -> Detections:
        """See :meth:`RoIHead.detect`."""
        results = self.head.predict(
            x, proposals_to_instances(proposals), self.samples, rescale=False)
        bboxes, mask = pad_rows([result.bboxes for result in results])
        scores, _ = pad_rows([result.scores for result in results])
        labels, _ = pad_rows([result.labels for result in results])
        return Detections(bboxes, scores, labels, mask)
