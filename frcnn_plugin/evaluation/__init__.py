"""Metrics of detections and of proposals."""

from .proposal_recall import ProposalRecall
from .voc_metric import VOCMetric

__all__ = ['ProposalRecall', 'VOCMetric']
