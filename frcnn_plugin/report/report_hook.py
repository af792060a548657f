"""Leaves ``report.html`` in the work dir, after a test and at the end of training."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from mmdet.structures import DetDataSample
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch.utils.data import DataLoader

from ..evaluation.operating_points import KEY, OperatingPoints
from ..evaluation.records import ImageRecord, gather, records_of
from ..io.whole_files import write_whole
from ..prepare.account import number
from ..registry import HOOKS
from .training_log import read_log


@HOOKS.register_module()
class ReportHook(Hook):
    """One page with curves, classes, confusions and the worst mistakes.

    At the end of training it shows the last validation. The page contains its pictures
    and needs no network. Annotations that look wrong are listed beside it, see
    ``doubtful_annotations.py``.

    Args:
        score_thr: Detections with a lower score do not count as found. Default: for
            each class the threshold of the last validation or, in a test, of the
            checkpoint; 0.5 without one.
    """

    priority = 'VERY_LOW'  # after the loggers, whose files it reads

    def __init__(self, score_thr: float | None = None) -> None:
        self.score_thr = score_thr
        self.records: list[ImageRecord] = []
        self.metrics: dict[str, float] = {}
        self.iteration = 0

    def before_run(self, runner: Runner) -> None:
        """Import what draws: a missing package ends the run now, not after training."""
        from . import build_report  # noqa: F401 - matplotlib takes its time

    def before_val_epoch(self, runner: Runner) -> None:
        """Forget the previous validation."""
        self.records = []

    before_test_epoch = before_val_epoch

    def after_val_iter(self, runner: Runner, batch_idx: int,
                       data_batch: dict | None = None,
                       outputs: Sequence[DetDataSample] | None = None) -> None:
        """Keep the detections of this batch."""
        self.records += records_of(outputs)

    after_test_iter = after_val_iter

    def after_val_epoch(self, runner: Runner,
                        metrics: Mapping[str, float] | None = None) -> None:
        """Keep the metrics, and when they were measured."""
        self.metrics, self.iteration = dict(metrics or {}), runner.iter

    def after_test_epoch(self, runner: Runner,
                         metrics: Mapping[str, float] | None = None) -> None:
        """Write the page."""
        self.metrics = dict(metrics or {})
        self.write(runner, runner.test_dataloader, 'test', 'test')

    def after_train(self, runner: Runner) -> None:
        """Write the page, if the run was validated."""
        if runner.val_loop is not None:
            self.write(runner, runner.val_dataloader, 'val',
                       f'validation after {self.iteration} iterations')

    def write(self, runner: Runner, loader: DataLoader, mode: str, what: str) -> None:
        """Write the page, in the first process."""
        records = gather(self.records, len(loader.dataset))
        classes = (loader.dataset.metainfo or {}).get('classes')
        if not records or not classes or not is_main_process():
            return
        from .build_report import build_report
        points = runner.message_hub.runtime_info.get(KEY)
        page = build_report(
            records, classes, self.metrics, read_log(runner.work_dir),
            title=Path(runner.cfg.filename or runner.experiment_name).stem,
            subtitle=f'{what}, {len(records)} images', config=runner.cfg.pretty_text,
            seconds=seconds_an_image(runner, loader, mode), score_thr=self.score_thr,
            points=points,
            chosen='these images' if mode == 'val' else 'validation images')
        path = Path(runner.work_dir, 'report.html')
        write_whole(path, page.encode())
        runner.logger.info(f'report: {path}')
        self.list_doubts(runner, records, classes, points)

    def list_doubts(self, runner: Runner, records: Sequence[ImageRecord],
                    classes: Sequence[str], points: dict | None) -> None:
        """Write the table of annotations that look wrong, and say how many there are.

        That of an earlier test is gone where there are none.
        """
        from .doubtful_annotations import FILE, doubtful_annotations, table_of
        path = Path(runner.work_dir, FILE)
        known = OperatingPoints.read(points, len(classes)) if points else None
        doubts = doubtful_annotations(records, classes, known) if known else []
        if not known or not doubts:
            path.unlink(missing_ok=True)
            return
        table = table_of(doubts, classes, known)
        write_whole(path, table.encode(errors='surrogateescape'))
        files = {each.record.path for each in doubts}
        runner.logger.info(
            f'{number(len(doubts), "annotation")} in {number(len(files), "picture")} '
            f'may be missing or wrong, judging by the detections: {path}')


def seconds_an_image(runner: Runner, loader: DataLoader, mode: str) -> float | None:
    """Mean time for one image of the last test, including data loading."""
    times = runner.message_hub.log_scalars.get(f'{mode}/time')
    if times is None or len(times.data[0]) == 0:
        return None
    return float(times.mean(len(loader))) * len(loader) / len(loader.dataset)
