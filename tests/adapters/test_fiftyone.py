"""FiftyOne, if it is installed and finds its database (``FIFTYONE_DATABASE_URI``)."""

import os

import numpy as np
import pytest

from frcnn_plugin.errors import OutputExistsError, UserError
from frcnn_plugin.inference import Detector
from frcnn_plugin.prepare.prepare_folder import choose_splits
from frcnn_plugin.prepare.understand import understand

os.environ.setdefault('FIFTYONE_DO_NOT_TRACK', 'true')
fo = pytest.importorskip('fiftyone')


@pytest.fixture
def samples(shapes_root):
    """Four pictures, each with a box."""
    dataset = fo.Dataset()
    files = sorted((shapes_root / 'JPEGImages').iterdir())
    for number, tag in enumerate(('train', 'train', 'validation', 'test')):
        sample = fo.Sample(str(files[number]), tags=[tag])
        sample['ground_truth'] = fo.Detections(detections=[fo.Detection(
            label='circle', bounding_box=[0.25, 0.25, 0.5, 0.125 * (1 + number)])])
        dataset.add_sample(sample)
    yield dataset
    dataset.delete()


def test_predictions_in_samples(samples, checkpoint):
    from frcnn_plugin.adapters.fiftyone import add_predictions

    detector = Detector(checkpoint, device='cpu')
    add_predictions(samples, detector, 'found', score_thr=0.05, batch_size=3)
    for sample in samples:
        image = detector.read(sample.filepath)
        height, width = image.shape[:2]
        expected = detector(image).above(0.05)
        found = sample['found'].detections
        assert [each.label for each in found] == expected.names
        assert [each.confidence for each in found] == pytest.approx(expected.scores)
        boxes = np.array([each.bounding_box for each in found]).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        np.testing.assert_allclose(boxes * np.tile([width, height], 2),
                                   expected.boxes, atol=0.01)


def test_samples_to_train_on(samples, tmp_path):
    from frcnn_plugin.adapters.fiftyone import export_samples

    export_samples(samples, tmp_path / 'out')
    found = understand(tmp_path / 'out')
    splits = choose_splits(found, None, 0)
    assert {split: len(members) for split, members in splits.members.items()} == dict(
        train=2, val=1, test=1)
    for picture in found.pictures:
        item, = picture.objects
        assert item.name == 'circle'
        x1, y1, _, _ = item.bbox
        assert (x1, y1) == pytest.approx(
            (picture.width / 4, picture.height / 4), abs=0.01)
    with pytest.raises(OutputExistsError, match='is not empty'):
        export_samples(samples, tmp_path / 'out')
    odd = samples.first()
    for tags, said in ((['train', 'val'], 'two of train, val and test'),
                       ([], '1 of 4 samples have no tag')):
        odd.tags = tags
        odd.save()
        with pytest.raises(UserError, match=said):
            export_samples(samples, tmp_path / 'odd')
