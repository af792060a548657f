# The main config, trained in the four steps of the paper. Each step follows this
# schedule, with its iterations counted from the step's own start.
#
#     frcnn train frcnn_r50_c4_alternating_voc
#     frcnn test frcnn_r50_c4_alternating_voc \
#         work_dirs/frcnn_r50_c4_alternating_voc/step4.pth
#
# Needs what frcnn_r50_c4_voc.py needs. Not trained on VOC yet.
_base_ = './frcnn_r50_c4_voc.py'

train_cfg = dict(
    _delete_=True,
    type='AlternatingTrainLoop',
    steps=[40000, 40000, 40000, 40000],
    val_interval=5000)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, milestones=[30000], gamma=0.1),
]
optim_wrapper = dict(optimizer=dict(lr=0.001))
find_unused_parameters = True  # each step trains a part of the detector
