"""Metrics of detections and of proposals."""

from .box_ap import BoxAP
from .proposal_recall import ProposalRecall
from .voc_metric import VOCMetric

__all__ = ['BoxAP', 'ProposalRecall', 'VOCMetric']
