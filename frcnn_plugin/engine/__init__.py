"""What runs around the model: metrics, hooks and loops."""

from .alternating_train_loop import AlternatingTrainLoop
from .frozen_phase_hook import FrozenPhaseHook
from .proposal_recall import ProposalRecall
from .voc_metric import VOCMetric

__all__ = ['AlternatingTrainLoop', 'FrozenPhaseHook', 'ProposalRecall', 'VOCMetric']
