# The main config with a fully connected head in the place of layer4: RoIPool 7x7,
# flatten, 4096, then 21 scores and 84 deltas.
#
#     frcnn train frcnn_r50_c4_fc_voc
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = './frcnn_r50_c4_voc.py'

model = dict(
    roi_head=dict(
        bbox_roi_extractor=dict(roi_layer=dict(output_size=7)),
        shared_head=None,
        bbox_head=dict(
            in_channels=1024,
            roi_feat_size=7,
            with_avg_pool=False,
            fc_channels=[4096],
            reg_background=True)))
