"""What runs around the model: metrics, hooks and loops."""

from .alternating_train_loop import AlternatingTrainLoop
from .checkpoint_hook import CheckpointHook
from .frozen_phase_hook import FrozenPhaseHook
from .proposal_recall import ProposalRecall
from .train_loops import EpochBasedTrainLoop, IterBasedTrainLoop
from .voc_metric import VOCMetric

__all__ = ['AlternatingTrainLoop', 'CheckpointHook', 'EpochBasedTrainLoop',
           'FrozenPhaseHook', 'IterBasedTrainLoop', 'ProposalRecall', 'VOCMetric']
