"""Training loops, and hooks that act on the model."""

from .alternating_train_loop import AlternatingTrainLoop
from .frozen_phase_hook import FrozenPhaseHook
from .resume.checkpoint_hook import CheckpointHook
from .resume.loops import EpochBasedTrainLoop, IterBasedTrainLoop

__all__ = ['AlternatingTrainLoop', 'CheckpointHook', 'EpochBasedTrainLoop',
           'FrozenPhaseHook', 'IterBasedTrainLoop']
