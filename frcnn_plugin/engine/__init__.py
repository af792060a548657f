"""Training loops, their hooks, and an optimizer wrapper for bfloat16."""

from .alternating_train_loop import AlternatingTrainLoop
from .bf16_optim_wrapper import BF16OptimWrapper
from .detector_file_hook import DetectorFileHook
from .frozen_phase_hook import FrozenPhaseHook
from .operating_points_hook import OperatingPointsHook
from .resume.checkpoint_hook import CheckpointHook
from .resume.loops import EpochBasedTrainLoop, IterBasedTrainLoop
from .run_record_hook import RunRecordHook
from .start_from_hook import StartFromHook
from .timed_train_loop import TimedTrainLoop

__all__ = ['AlternatingTrainLoop', 'BF16OptimWrapper', 'CheckpointHook',
           'DetectorFileHook', 'EpochBasedTrainLoop', 'FrozenPhaseHook',
           'IterBasedTrainLoop', 'OperatingPointsHook', 'RunRecordHook',
           'StartFromHook', 'TimedTrainLoop']
