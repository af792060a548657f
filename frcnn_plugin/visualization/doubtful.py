"""Draws the annotations that a person should look at first."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import mmcv
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from ..prepare.check_files import FileReport
from .draw import Drawer

DOUBT = {  # how likely it is that boxes are in the wrong place
    'scaled boxes': 8, 'turned boxes': 6, 'size mismatch': 6, 'box outside': 4,
    'over the border': 3, 'degenerate box': 2, 'EXIF rotation': 2, 'huge box': 1,
    'duplicate box': 1}


def draw_doubtful(reports: Iterable[FileReport], out: Path, number: int = 12) -> int:
    """Draw the most doubtful pictures with their boxes.

    Args:
        reports: What a check found out about each.
        out: The folder for the pictures.
        number: How many at most; those without any doubt fill it up.

    Returns:
        int: How many were drawn.
    """
    usable = [report for report in reports if report.usable]
    usable.sort(key=doubt, reverse=True)
    classes = tuple(sorted(sum((report.counts for report in usable), Counter())))
    drawer = Drawer(classes)
    for place, report in enumerate(usable[:number], start=1):
        objects = report.annotation.objects
        sample = DetDataSample(gt_instances=InstanceData(
            bboxes=torch.tensor([item.bbox for item in objects]).reshape(-1, 4),
            labels=torch.tensor([classes.index(item.name) for item in objects],
                                dtype=torch.long)))
        name = f'{place:02d}_{report.name.replace("/", "_")}.jpg'
        mmcv.imwrite(drawer.annotated(mmcv.imread(str(report.image)), sample),
                     str(out / name))
    return min(number, len(usable))


def doubt(report: FileReport) -> int:
    """How much in a file speaks for boxes in the wrong place."""
    return sum(DOUBT.get(kind, 0) for kind in {each.kind for each in report.problems})
