"""Detections into the samples of FiftyOne, and samples out of it to train on.

    from frcnn_plugin.adapters.fiftyone import add_predictions, export_samples

    add_predictions(dataset, Detector('detector.pth'))    # then look at them in the app
    export_samples(dataset.match_tags('good'), 'my_data')  # frcnn train my_data
"""

from itertools import islice
from pathlib import Path

import fiftyone as fo
import numpy as np

from ..errors import OutputExistsError, UserError
from ..inference import Detector, Prediction
from ..inference.tiled_detector import TiledDetector

SPLITS = dict(train=('train', 'training'), val=('val', 'valid', 'validation'),
              test=('test', 'testing'))  # and the tags of samples that are in them


def add_predictions(samples: fo.core.collections.SampleCollection, detector: Detector,
                    field: str = 'predictions', score_thr: float | None = None,
                    batch_size: int = 8) -> None:
    """Detect in the picture of each sample, in tiles if it was trained on tiles.

    Args:
        samples: A data set or a view of one.
        detector: What detects.
        field: Of the samples, for a ``Detections``.
        score_thr: The least score. Default: the detector's own threshold of each class
            or, if it has none, 0, since FiftyOne has a slider.
        batch_size: Pictures at once.

    Raises:
        UserError: If a picture cannot be read.
    """
    least: float | np.ndarray = 0.0
    if score_thr is not None:
        least = score_thr
    elif detector.thresholds is not None:
        least = detector.thresholds
    if detector.tiles:
        detector = TiledDetector(detector, detector.tiles)
    waiting = samples.iter_samples(progress=True)
    while batch := list(islice(waiting, batch_size)):
        images = [detector.read(sample.filepath) for sample in batch]
        for sample, image, found in zip(batch, images, detector.detect(images),
                                        strict=True):
            sample[field] = detections_of(found.above(least), *image.shape[:2])
            sample.save()


def detections_of(found: Prediction, height: int, width: int) -> fo.Detections:
    """As FiftyOne has them: x, y, width and height are shares of the picture's."""
    corners = found.boxes / [width, height, width, height]
    return fo.Detections(detections=[
        fo.Detection(label=name, confidence=float(score),
                     bounding_box=[x1, y1, x2 - x1, y2 - y1])
        for name, score, (x1, y1, x2, y2) in zip(
            found.names, found.scores, corners.tolist(), strict=True)])


def export_samples(samples: fo.core.collections.SampleCollection, out: str | Path,
                   field: str = 'ground_truth') -> None:
    """Write pictures and boxes as ``frcnn train`` and ``frcnn prepare`` take them.

    FiftyOne writes them in COCO's format, pictures as links. Samples with a tag such as
    ``train``, ``validation`` or ``test`` go into a folder of that name; if none has
    one, all are in one folder, and splits are made later.

    Args:
        samples: A data set or a view of one.
        out: A new folder.
        field: Of the samples, with their ``Detections``.

    Raises:
        OutputExistsError: If there is something in ``out``.
        UserError: If some samples have such a tag and others none, or two.
    """
    out = Path(out)
    if out.exists() and any(out.iterdir()):
        raise OutputExistsError(f'{out}: is not empty')
    classes = samples.distinct(f'{field}.detections.label')
    parts = {split: samples.match_tags(list(tags)) for split, tags in SPLITS.items()}
    parts = {split: part for split, part in parts.items() if len(part)}
    tagged = sum(map(len, parts.values()))
    untagged = len(samples.match_tags([tag for tags in SPLITS.values() for tag in tags],
                                      bool=False))
    if parts and tagged + untagged != len(samples):
        raise UserError('some samples are tagged for two of train, val and test')
    if parts and untagged:
        raise UserError(f'{untagged} of {len(samples)} samples have no tag such as '
                        'train, val or test, but others have')
    for split, part in (parts or {'': samples}).items():
        part.export(str(out / split), dataset_type=fo.types.COCODetectionDataset,
                    label_field=field, classes=classes, export_media='symlink')
