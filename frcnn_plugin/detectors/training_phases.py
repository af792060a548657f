"""Which part of a detector is trained at the moment.

Three ways of training need it: a first phase with a fixed backbone, batch normalisation
that is fixed from outside, and the four steps of alternating training.
"""

from collections.abc import Callable
from typing import Any, Self

from torch import nn

from ..backbones.resnet_c4 import batch_norms

PARTS = ('backbone', 'neck', 'rpn_head', 'roi_head')


class TrainingPhases(nn.Module):
    """Freezing of whole parts, and training of one stage alone; mixed into a detector.

    None of this is saved in a checkpoint: whoever drives the training
    (``FrozenPhaseHook``, ``AlternatingTrainLoop``) sets it again when a run resumes.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._frozen_parts: dict[str, list[bool]] = {}
        self._norms_are_frozen = False
        self._trained_stage: str | None = None
        self._propose_for_training: Callable | None = None

    def freeze_parts(self, *names: str) -> None:
        """Fix the weights and batch statistics of whole parts, named as in ``PARTS``.

        Parts that the detector lacks are skipped.

        Raises:
            ValueError: If a name is none of these.
        """
        for name in names:
            if name not in PARTS:
                raise ValueError(f'{name!r} is not a part of the detector; '
                                 f'choose from {", ".join(PARTS)}')
            part = getattr(self, name)
            if part is None or name in self._frozen_parts:
                continue
            self._frozen_parts[name] = [p.requires_grad for p in part.parameters()]
            part.eval().requires_grad_(False)

    def unfreeze_parts(self) -> None:
        """Undo :meth:`freeze_parts`; what the config froze stays so."""
        for name, flags in self._frozen_parts.items():
            part = getattr(self, name)
            for parameter, flag in zip(part.parameters(), flags, strict=True):
                parameter.requires_grad = flag
        self._frozen_parts = {}
        self.train(self.training)

    def freeze_bn(self) -> None:
        """Fix the running statistics of all batch normalisation, in training too."""
        self._norms_are_frozen = True
        self.train(self.training)

    def train_stage(self, stage: str | None,
                    propose: Callable | None = None) -> None:
        """Train one stage alone.

        Args:
            stage: ``'rpn'``, ``'roi'`` or None for both.
            propose: For ``'roi'``: called with images and data samples, returns
                ``Proposals``. Default: the detector's own RPN, without a gradient.
        """
        self._trained_stage = stage
        self._propose_for_training = propose

    def trains(self, stage: str) -> bool:
        """Whether a stage, ``'rpn'`` or ``'roi'``, is there and trained now."""
        part = getattr(self, f'{stage}_head')
        return part is not None and self._trained_stage in (None, stage)

    def train(self, mode: bool = True) -> Self:
        """Switch to training or evaluation; what is frozen stays in evaluation."""
        super().train(mode)
        for name in self._frozen_parts:
            getattr(self, name).eval()
        if self._norms_are_frozen:
            for norm in batch_norms(self):
                norm.eval()
        return self
