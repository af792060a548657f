"""All of exact resume: loops, loader, seeds, checkpoints."""

from .checkpoint_hook import CheckpointHook
from .loops import EpochBasedTrainLoop, IterBasedTrainLoop

__all__ = ['CheckpointHook', 'EpochBasedTrainLoop', 'IterBasedTrainLoop']
