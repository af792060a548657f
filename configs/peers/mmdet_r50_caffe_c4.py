# The settings of mmdet's faster-rcnn_r50-caffe-c4: pixels in BGR minus a mean, strides
# on the first 1x1 convolution of a stage. See mmdet_r50_c4.py.
_base_ = './mmdet_r50_c4.py'

model = dict(
    data_preprocessor=dict(
        mean=[103.530, 116.280, 123.675], std=[1.0, 1.0, 1.0], bgr_to_rgb=False),
    backbone=dict(style='caffe'),
    roi_head=dict(shared_head=dict(style='caffe')))
