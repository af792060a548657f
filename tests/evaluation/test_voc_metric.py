import numpy as np
import pytest
from mmdet.evaluation.metrics import VOCMetric as MMDetVOCMetric
from mmengine.logging import MMLogger

from frcnn_plugin.evaluation import VOCMetric

CLASSES = ('a', 'b', 'c')


def results(num_images: int = 8):
    """Random annotations of a and b, and detections near some of them."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(num_images):
        corners = rng.uniform(0, 60, (4, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(15, 40, (4, 2))], axis=1)
        labels = rng.integers(0, 2, 4)
        dets = []
        for label in range(3):
            near = boxes[labels == label]
            near = near + rng.normal(0, 4, near.shape)
            dets.append(np.hstack([near, rng.random((len(near), 1))]))
        nothing = dict(bboxes_ignore=np.zeros((0, 4)), labels_ignore=np.zeros(0, int))
        rows.append((dict(bboxes=boxes, labels=labels, **nothing), dets))
    return rows


@pytest.mark.parametrize('mode', ['area', '11points'])
def test_equals_mmdets_and_tells_each_class(mode):
    MMLogger.get_current_instance()
    ours, peer = (kind(iou_thrs=[0.5, 0.7], eval_mode=mode)
                  for kind in (VOCMetric, MMDetVOCMetric))
    ours.dataset_meta = peer.dataset_meta = dict(classes=CLASSES)
    found, wanted = ours.compute_metrics(results()), peer.compute_metrics(results())
    assert found['mAP'] == pytest.approx(wanted['mAP'])
    assert found['AP50'] == pytest.approx(wanted['AP50'], abs=5e-4)  # mmdet rounds
    per_class = [value for name, value in found.items() if name.startswith('class/')]
    assert np.mean(per_class) == pytest.approx(found['mAP'])
    assert 'class/a' in found and 'class/c' not in found  # c has no ground truth
