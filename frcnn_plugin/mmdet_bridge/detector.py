"""mmdet's detector protocol for a detector that works on padded batches."""

from collections.abc import Callable

import torch
from mmdet.models.detectors import BaseDetector
from mmdet.structures import SampleList
from torch import Tensor

from ..structures import Proposals
from . import lists
from .finite_losses import FiniteLosses
from .stock_heads import StockRoIHead, StockRPNHead

NO_RPN = ('FasterRCNN without rpn_head needs proposals with its data: give the dataset '
          'a proposal_file and LoadProposals in its pipeline')


class MMDetDetector(FiniteLosses, BaseDetector):
    """The methods by which mmengine and mmdet call a detector.

    ``FasterRCNN`` derives from it, which has ``losses`` and ``detect``. Lists of data
    samples are padded, one of the two is called, and the padding is cut off.
    """

    _samples: SampleList | None = None  # of this batch, for heads of mmdet

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict:
        """The losses of a batch.

        Args:
            batch_inputs: (B, 3, H, W) images.
            batch_data_samples: Their samples with ``gt_instances``.

        Returns:
            dict: As that of ``losses``.
        """
        gt = lists.pack_ground_truth(
            [sample.gt_instances for sample in batch_data_samples])
        if self._propose_for_training is None:
            proposals = self._given_proposals(batch_data_samples)
        else:
            proposals = self._propose_for_training(batch_inputs, batch_data_samples)
        return self._run(self.losses, batch_inputs, batch_data_samples, gt, proposals)

    def predict(self, batch_inputs: Tensor, batch_data_samples: SampleList,
                rescale: bool = True) -> SampleList:
        """Detections, as ``pred_instances`` of the samples.

        Args:
            batch_inputs: (B, 3, H, W) images.
            batch_data_samples: Their samples.
            rescale: Whether boxes are wanted in pixels of the original images.
        """
        detections = self._run(self.detect, batch_inputs, batch_data_samples,
                               self._given_proposals(batch_data_samples))
        if rescale:
            detections = lists.rescale_bboxes(
                detections, [sample.metainfo for sample in batch_data_samples])
        return self.add_pred_to_datasample(
            batch_data_samples, lists.detections_to_instances(detections))

    def _forward(self, batch_inputs: Tensor,
                 batch_data_samples: SampleList | None = None) -> tuple:
        """The network's raw outputs, for mode ``'tensor'``.

        Returns:
            tuple: (R, C + 1) logits and (R, 4 C) deltas of the proposals; without a
            second stage the RPN's maps.
        """
        head = self.roi_head.bbox_head if self.with_roi_head else self.rpn_head
        outputs: list[tuple] = []
        handle = head.register_forward_hook(lambda _, args, out: outputs.append(out))
        try:
            self._run(self.detect, batch_inputs, batch_data_samples,
                      self._given_proposals(batch_data_samples))
        finally:
            handle.remove()
        return outputs[-1]

    @torch.no_grad()
    def propose_for(self, images: Tensor, samples: SampleList,
                    training: bool) -> Proposals:
        """The proposals of a batch, in pixels of the network's input.

        Args:
            images: (B, 3, H, W) images.
            samples: Their samples.
            training: Whether as many are wanted as the second stage is trained on.
        """
        return self._run(self.propose, images, samples, training)

    def _run(self, method: Callable, images: Tensor, samples: SampleList | None, *args):
        """Call ``losses``, ``detect`` or ``propose`` with the sizes of the images."""
        if samples is None:
            sizes = images.new_tensor([images.shape[-2:]] * len(images))
        else:
            sizes = lists.image_sizes(
                [sample.metainfo for sample in samples], images.device)
        self._samples = samples
        try:
            return method(images, sizes, *args)
        finally:
            self._samples = None

    def _given_proposals(self, samples: SampleList | None) -> Proposals | None:
        """The proposals that came with the samples; None where the RPN makes them.

        Raises:
            ValueError: If there is no RPN and a sample has no proposals.
        """
        if self.with_rpn:
            return None
        if samples is None or any('proposals' not in sample for sample in samples):
            raise ValueError(NO_RPN)
        return lists.instances_to_proposals([sample.proposals for sample in samples])

    @property
    def rpn(self):
        """The RPN; one of mmdet's is wrapped to have the interface of ours.

        Raises:
            ValueError: If there is none.
        """
        head = self.rpn_head
        if head is None:
            raise ValueError(NO_RPN)
        return head if hasattr(head, 'run') else StockRPNHead(
            head, self._samples, self.train_cfg)

    @property
    def roi(self):
        """The RoI head; one of mmdet's is wrapped to have the interface of ours."""
        head = self.roi_head
        return head if hasattr(head, 'predict_regions') else StockRoIHead(
            head, self._samples)
