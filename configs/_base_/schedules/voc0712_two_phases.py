# A first half with a frozen backbone, then everything at a tenth of the learning rate,
# as in bubbliiiing's faster-rcnn-pytorch. --amp adds half precision with a gradient
# scaler.
train_cfg = dict(type='IterBasedTrainLoop', max_iters=55000, val_interval=5000)
val_cfg = dict(type='ValLoop')
test_cfg = dict(type='TestLoop')

param_scheduler = [
    dict(type='LinearLR', start_factor=0.01, by_epoch=False, begin=0, end=500),
    dict(type='MultiStepLR', by_epoch=False, milestones=[27500], gamma=0.1),
]
optim_wrapper = dict(type='OptimWrapper', optimizer=dict(type='Adam', lr=0.0001))
custom_hooks = [dict(type='FrozenPhaseHook', until=27500, parts=['backbone'])]
find_unused_parameters = True  # the backbone gets no gradients at first
auto_scale_lr = dict(enable=False, base_batch_size=2)
