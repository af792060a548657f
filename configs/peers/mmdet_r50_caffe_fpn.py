# The settings of mmdet's faster-rcnn_r50-caffe_fpn. See mmdet_r50_fpn.py.
_base_ = './mmdet_r50_fpn.py'

model = dict(
    data_preprocessor=dict(
        mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(style='caffe'))
