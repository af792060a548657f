"""Puts ``report.html`` together."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from markupsafe import Markup
from mmengine.utils.dl_utils import collect_env

from ..evaluation.operating_points import DEFAULT, OperatingPoints
from ..evaluation.outcomes import outcomes_of
from ..evaluation.records import ImageRecord
from ..evaluation.summary import summarize
from ..io.fonts import use_font_for
from . import plots
from .analysis import IOU_THR, SIZES, by_class, confusion_matrix
from .crops import crop
from .mistakes import Mistake, false_positives, misses
from .page import render
from .scores import cuts, meanings, scores_to_cut_at
from .training_log import TrainingLog

MAX_PICTURES = 12  # of each kind of mistake


def build_report(records: Sequence[ImageRecord], classes: Sequence[str],
                 metrics: Mapping[str, float], log: TrainingLog,
                 seconds: float | None, points: dict | None = None,
                 score_thr: float | None = None, **texts: str) -> str:
    """The page.

    Args:
        records: Of at least one image.
        classes: The names, in the order of the labels.
        metrics: As the evaluator returned them.
        log: The curves of the training; empty ones are not drawn.
        seconds: Time for one image.
        points: What a validation told about the scores, see ``operating_points.py``.
            Detections with a lower score than that of their class are left out of
            confusions and mistakes, and an object found only by them counts as missed.
        score_thr: A score in place of these.
        **texts: ``title``, ``subtitle``, ``config``, and ``chosen``, the images by
            which ``points`` were chosen.
    """
    use_font_for(classes)
    summary = summarize(metrics)
    results = by_class(records, classes)
    known = OperatingPoints.read(points, len(classes)) if points else None
    thresholds = scores_to_cut_at(known, score_thr, len(classes))
    outcomes = outcomes_of(records, len(classes))
    at, meant = cuts(outcomes, thresholds), meanings(outcomes, known)
    matrix = confusion_matrix(records, len(classes), thresholds)
    wrong = false_positives(records, classes, thresholds, MAX_PICTURES)
    missed = misses(records, thresholds, MAX_PICTURES)
    return render(
        'report.html.j2', **texts, tiles=tiles(records, summary, seconds),
        summary=summary, plots=training_plots(log),
        precision_recall=plots.precision_recall(results),
        iou_thr=IOU_THR, sizes=list(SIZES), results=results, classes=classes,
        points=points, score_thr=score_thr, default=DEFAULT, cuts=at, meanings=meant,
        f1=plots.f1_over_score(outcomes, at, classes),
        reliability=plots.reliability(meant), matrix=rows_of(matrix, classes),
        wrong=with_pictures(wrong, classes, lambda each: each.record.gt_bboxes),
        missed=with_pictures(missed, classes, lambda each: each.record.bboxes[
            each.record.scores >= thresholds[each.record.labels]]),
        environment='\n'.join(
            f'{name}: {value}' for name, value in collect_env().items()))


def tiles(records: Sequence[ImageRecord], summary: Mapping,
          seconds: float | None) -> list[tuple[str, str]]:
    """The figures at the top, (name, value), some of them of the summary."""
    shown = [(name, f'{summary[name]:.3f}') for name in ('mAP', 'AP50', 'AP', 'AP75')
             if summary[name] is not None]
    shown += [('images', str(len(records))),
              ('boxes', str(sum(len(record.gt_bboxes) for record in records)))]
    if seconds:
        shown.append(('an image', f'{1000 * seconds:.0f} ms'))
    return shown


def training_plots(log: TrainingLog) -> list[tuple[str, Markup]]:
    """Captions and drawings of the curves that are not empty."""
    losses = {name: points for name, points in log.training.items() if name != 'lr'}
    found = []
    if losses:
        positive = all(value > 0 for points in losses.values() for _, value in points)
        found.append(('Losses, averaged over the last iterations',
                      plots.curves(losses, 'loss', log=positive)))
    if log.training.get('lr'):
        found.append(('Learning rate', plots.curves(
            dict(lr=log.training['lr']), 'learning rate')))
    means = {name.split('/', 1)[-1]: points for name, points in log.validation.items()
             if name.rpartition('/')[2] in ('mAP', 'AP', 'bbox_mAP', 'bbox_mAP_50')}
    if means:
        found.append(('Validation', plots.curves(means, 'mean average precision')))
    return found


def rows_of(matrix: np.ndarray, classes: Sequence[str]) -> list[dict]:
    """The counts of each row, coloured by their share of it."""
    shares = matrix / matrix.sum(1, keepdims=True).clip(min=1)
    names = [*classes, 'nothing']
    return [dict(name=name, cells=[
        dict(count=int(count), strength=f'{0.12 + 0.7 * share:.2f}')
        for count, share in zip(counts, row, strict=True)])
        for name, counts, row in zip(names, matrix, shares, strict=True)]


def with_pictures(mistakes: Sequence[Mistake], classes: Sequence[str],
                  others: Callable[[Mistake], np.ndarray]) -> list[dict]:
    """Mistakes with their pictures."""
    return [dict(
        picture=crop(each.record.path, each.bbox, others(each)),
        what=classes[each.label] + (f' {each.score:.2f}' if each.score else ''),
        kind=each.kind, file=Path(each.record.path).name) for each in mistakes]
