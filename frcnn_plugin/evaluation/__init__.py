"""What a detector is measured by."""

from .proposal_recall import ProposalRecall
from .voc_metric import VOCMetric

__all__ = ['ProposalRecall', 'VOCMetric']
