import math

import pytest

from frcnn_plugin.evaluation.summary import summarize

VOC = {'pascal_voc/mAP': 0.7, 'pascal_voc/AP50': 0.7, 'pascal_voc/class/a/b': 0.7}
OURS = {'coco/AP': 0.4, 'coco/AP50': 0.6, 'coco/AP75': 0.5, 'coco/AP_small': 0.1,
        'coco/AR100': 0.8, 'coco/AP/a/b': 0.4, 'coco/AP50/a/b': 0.6,
        'coco/AP75/a/b': 0.5, 'coco/AP_low': 0.3, 'coco/AP_high': 0.45,
        'coco/AP50_low': 0.55, 'coco/AP50_high': 0.65}
MMDETS = {'coco/bbox_mAP': 0.4, 'coco/bbox_mAP_50': 0.6, 'coco/bbox_mAP_75': 0.5,
          'coco/bbox_mAP_s': 0.1, 'coco/bbox_mAP_m': -1.0, 'coco/a_precision': 0.4,
          'coco/b_precision': math.nan}
COMMON = dict(AP=0.4, AP50_coco=0.6, AP75=0.5, AP_small=0.1, AP_medium=None,
              AP_large=None)


@pytest.mark.parametrize(('metrics', 'wanted'), [
    (VOC | OURS, dict(
        COMMON, mAP=0.7, AP50=0.7, per_class={'a/b': 0.7}, AP_per_class={'a/b': 0.4},
        AP75_per_class={'a/b': 0.5}, AR100=0.8,
        intervals=dict(AP=[0.3, 0.45], AP50_coco=[0.55, 0.65]))),
    (OURS, dict(COMMON, mAP=0.4, AP50=0.6, per_class={'a/b': 0.4})),
    (MMDETS, dict(
        COMMON, mAP=0.4, AP50=0.6, per_class=dict(a=0.4, b=None),
        AP_per_class=dict(a=0.4, b=None), AP75_per_class={}, AR100=None,
        intervals={})),
    (VOC, dict(mAP=0.7, AP50=0.7, per_class={'a/b': 0.7}, AP=None, AP_per_class={},
               intervals={})),
    ({'pascal_voc/mAP': 0.3, 'pascal_voc/AP70': 0.3}, dict(mAP=0.3, AP50=None)),
], ids=['both', 'ours', "mmdet's", 'VOC', 'another IoU'])
def test_the_same_names_whatever_measured_it(metrics, wanted):
    summary = summarize(metrics)
    assert {name: summary[name] for name in wanted} == wanted
    assert summary['all'] == pytest.approx(metrics, nan_ok=True)
