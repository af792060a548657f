"""A record has the boxes where they are in the picture."""

import numpy as np
import pytest
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from frcnn_plugin.evaluation.records import record_of


@pytest.mark.parametrize(('tile', 'x', 'y'), [
    (None, 0, 0), ([100, 40, 200, 140], 100, 40)])
def test_boxes_of_a_tile_are_those_of_its_picture(tile, x, y):
    sample = DetDataSample(metainfo=dict(img_path='a.jpg', **(
        dict(tile=tile) if tile else {})))
    for name, number in (('gt_instances', 2), ('ignored_instances', 1)):
        sample.set_field(InstanceData(
            bboxes=torch.tensor([[1.0, 2, 3, 4]] * number),
            labels=torch.zeros(number, dtype=torch.long)), name)
    sample.pred_instances = InstanceData(
        bboxes=torch.tensor([[5.0, 6, 7, 8]]), scores=torch.ones(1),
        labels=torch.zeros(1, dtype=torch.long))
    record = record_of(sample)
    shift = np.array([x, y, x, y])
    np.testing.assert_array_equal(record.gt_bboxes, [[1, 2, 3, 4] + shift] * 2)
    np.testing.assert_array_equal(record.ignored_bboxes, [[1, 2, 3, 4] + shift])
    np.testing.assert_array_equal(record.bboxes, [[5, 6, 7, 8] + shift])
    assert record.bboxes.dtype == np.float32 and record.path == 'a.jpg'
