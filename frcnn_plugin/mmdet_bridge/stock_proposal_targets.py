"""Second-stage targets by mmdet's own assigners and samplers."""

import torch
from torch.nn.utils.rnn import pad_sequence

from ..ops import encode
from ..registry import TASK_UTILS
from ..structures import GroundTruth, Proposals, RoISamples
from . import targets as protocol


class StockProposalTargets:
    """Calls a stock assigner and sampler, image by image, behind our interface.

    Slower than :class:`ProposalTargetSampler`, which does the batch at once; it is here
    so that every assigner and sampler of mmdet can train our RoI head.

    Args:
        train_cfg: ``assigner`` and ``sampler``, as in mmdet's ``train_cfg.rcnn``.
        context: The RoI head, which some samplers ask for its losses.
    """

    def __init__(self, train_cfg: dict, context=None) -> None:
        self.assigner = TASK_UTILS.build(train_cfg['assigner'])
        self.sampler = TASK_UTILS.build(
            train_cfg['sampler'], default_args=dict(context=context))

    def __call__(self, proposals: Proposals, gt: GroundTruth, num_classes: int,
                 bbox_coder) -> RoISamples:
        """See :meth:`ProposalTargetSampler.__call__`."""
        counts = proposals.mask.sum(1).tolist()
        priors = [boxes[:n] for boxes, n in zip(proposals.bboxes, counts, strict=True)]
        results = protocol.stock_matches(
            self.assigner, self.sampler, priors, protocol.gt_instances_of(gt))
        return pad_sampling_results(results, num_classes, bbox_coder)


def pad_sampling_results(results, num_classes: int, bbox_coder) -> RoISamples:
    """mmdet's sampling results of a batch as padded samples, positives first.

    Args:
        results: One ``SamplingResult`` an image.
        num_classes: C, the label of the background.
        bbox_coder: The coder whose deltas the head predicts.
    """
    rows = []
    for result in results:
        bboxes = torch.cat([result.pos_priors, result.neg_priors])
        num_pos = len(result.pos_priors)
        labels = torch.full((len(bboxes),), num_classes, device=bboxes.device)
        labels[:num_pos] = result.pos_gt_labels
        deltas = bboxes.new_zeros(len(bboxes), 4)
        deltas[:num_pos] = encode(bbox_coder, result.pos_priors, result.pos_gt_bboxes)
        mask = torch.ones_like(labels, dtype=torch.bool)
        rows.append((bboxes, labels, deltas, mask))
    return RoISamples(*(pad_sequence(column, batch_first=True)
                        for column in zip(*rows, strict=True)))
