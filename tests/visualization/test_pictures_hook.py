import numpy as np
import torch
from helpers import make_samples
from mmengine.structures import InstanceData

from frcnn_plugin.visualization.pictures_hook import enlarge


def test_small_images_and_their_boxes_are_enlarged_alike():
    (sample,) = make_samples((3,))
    sample.pred_instances = InstanceData(bboxes=torch.ones(2, 4))
    image, larger = enlarge(np.zeros((128, 160, 3), np.uint8), sample, 256)
    assert image.shape == (256, 320, 3)
    torch.testing.assert_close(larger.gt_instances.bboxes,
                               2 * sample.gt_instances.bboxes)
    assert larger.pred_instances.bboxes.tolist() == [[2] * 4] * 2
    assert sample.pred_instances.bboxes.tolist() == [[1] * 4] * 2


def test_large_images_stay_as_they_are():
    (sample,) = make_samples((1,))
    image = np.zeros((500, 600, 3), np.uint8)
    assert enlarge(image, sample, 256)[0] is image
