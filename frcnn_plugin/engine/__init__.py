"""What runs around the model: loops and hooks."""

from .alternating_train_loop import AlternatingTrainLoop
from .frozen_phase_hook import FrozenPhaseHook
from .resume import CheckpointHook, EpochBasedTrainLoop, IterBasedTrainLoop

__all__ = ['AlternatingTrainLoop', 'CheckpointHook', 'EpochBasedTrainLoop',
           'FrozenPhaseHook', 'IterBasedTrainLoop']
