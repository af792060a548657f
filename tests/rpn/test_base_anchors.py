import torch

from frcnn_plugin.rpn.base_anchors import area_base_anchors, classic_base_anchors

# the table that py-faster-rcnn prints, scales changing fastest
CLASSIC = [
    [-84, -40, 99, 55], [-176, -88, 191, 103], [-360, -184, 375, 199],
    [-56, -56, 71, 71], [-120, -120, 135, 135], [-248, -248, 263, 263],
    [-36, -80, 51, 95], [-80, -168, 95, 183], [-168, -344, 183, 359]]


def test_the_classic_table_bit_for_bit():
    anchors = classic_base_anchors(16, (0.5, 1, 2), (8, 16, 32))
    assert torch.equal(anchors, torch.tensor(CLASSIC, dtype=torch.float32))


def test_areas_and_ratios_are_what_they_say():
    anchors = area_base_anchors(8, (0.5, 1, 2), (8,))
    width, height = (anchors[:, 2:] - anchors[:, :2]).unbind(1)
    torch.testing.assert_close(width * height, torch.full((3,), 64.0**2))
    torch.testing.assert_close(height / width, torch.tensor([0.5, 1, 2]))
    torch.testing.assert_close((anchors[:, :2] + anchors[:, 2:]) / 2,
                               torch.full((3, 2), 4.0))  # the cell's centre
