# The settings of bubbliiiing's faster-rcnn-pytorch with VGG16: pixels between 0 and 1,
# anchors about the corner of a cell whose sides are swapped. See bubbliiiing_r50.py.
_base_ = './simple_vgg16.py'

model = dict(
    data_preprocessor=dict(mean=[0.0, 0.0, 0.0], std=[255.0, 255.0, 255.0]),
    rpn_head=dict(
        anchor_generator=dict(center_offset=0.0, ratios=[2.0, 1.0, 0.5]),
        target_sampler=dict(allowed_border=-1, reassign_low_quality=True),
        proposal_creator=dict(
            train=dict(nms_pre=12000, max_per_img=600),
            test=dict(nms_pre=3000, max_per_img=300)),
        loss_bbox=dict(beta=1.0)),
    roi_head=dict(
        target_sampler=dict(pos_fraction=0.5),
        bbox_head=dict(bbox_coder=dict(clip_border=False))))
