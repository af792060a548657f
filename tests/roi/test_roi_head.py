from helpers import ROI_HEAD

from frcnn_plugin.registry import MODELS


def test_a_partial_test_cfg_keeps_the_other_defaults():
    head = MODELS.build(dict(ROI_HEAD, test_cfg=dict(max_per_img=7)))
    assert head.test_cfg == dict(
        score_thr=0.05, nms=dict(type='nms', iou_threshold=0.3), max_per_img=7)
    head = MODELS.build(dict(ROI_HEAD, test_cfg=dict(nms=dict(iou_threshold=0.5))))
    assert head.test_cfg['nms'] == dict(type='nms', iou_threshold=0.5)
    assert head.test_cfg['score_thr'] == 0.05
