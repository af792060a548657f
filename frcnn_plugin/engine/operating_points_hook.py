"""Tells a detector, after each validation, which scores to cut at."""

from collections.abc import Mapping, Sequence

from mmdet.structures import DetDataSample
from mmengine.hooks import Hook
from mmengine.runner import Runner

from ..errors import SettingError
from ..evaluation.operating_points import KEY
from ..evaluation.outcomes import operating_points_of
from ..evaluation.records import ImageRecord, gather, records_of
from ..registry import HOOKS


@HOOKS.register_module()
class OperatingPointsHook(Hook):
    """Puts the operating points of the last validation into checkpoints.

    A checkpoint has them in ``meta['operating_points']`` if its weights are those that
    were validated: the best one, and the last one. They are in the message hub until
    training goes on.

    Args:
        precision: Cut each class where its precision is at least this, between 0 and 1,
            for example 0.95; None: where F1 is best.
    """

    def __init__(self, precision: float | None = None) -> None:
        if precision is not None and not 0 < precision < 1:
            raise SettingError(
                f'precision is {precision}; it must be between 0 and 1')
        self.precision = precision
        self.records: list[ImageRecord] = []

    def before_val_epoch(self, runner: Runner) -> None:
        """Forget the previous validation."""
        self.records = []

    def after_val_iter(self, runner: Runner, batch_idx: int,
                       data_batch: dict | None = None,
                       outputs: Sequence[DetDataSample] | None = None) -> None:
        """Keep the detections of this batch."""
        self.records += records_of(outputs)

    def after_val_epoch(self, runner: Runner,
                        metrics: Mapping[str, float] | None = None) -> None:
        """Choose, before the checkpoint hook stores the best weights."""
        data = runner.val_dataloader.dataset
        classes = (data.metainfo or {}).get('classes')
        records, self.records = gather(self.records, len(data)), []
        if records and classes and len({*classes}) == len(classes):  # it is by name
            runner.message_hub.update_info(
                KEY, operating_points_of(records, classes, self.precision),
                resumed=False)

    def before_train_iter(self, runner: Runner, batch_idx: int,
                          data_batch: dict | None = None) -> None:
        """Forget what is no longer true of the weights."""
        runner.message_hub.pop_info(KEY)

    def before_save_checkpoint(self, runner: Runner, checkpoint: dict) -> None:
        """Store what is known of these weights."""
        if KEY in runner.message_hub.runtime_info:
            checkpoint['meta'][KEY] = runner.message_hub.get_info(KEY)
