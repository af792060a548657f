# The demo's detector and data, trained in the four steps of the paper.
_base_ = './frcnn_r18_c4_shapes.py'

train_cfg = dict(
    _delete_=True,
    type='AlternatingTrainLoop',
    steps=[200, 700, 150, 150],
    val_interval=300)
param_scheduler = [
    dict(type='LinearLR', start_factor=0.1, by_epoch=False, begin=0, end=50),
    dict(type='CosineAnnealingLR', by_epoch=False, begin=50, eta_min=1e-6),
]
find_unused_parameters = True
