# The main config, trained with a fixed backbone first, then as a whole.
_base_ = [
    './_base_/models/frcnn_r50_c4.py',
    './_base_/datasets/voc0712.py',
    './_base_/schedules/voc0712_two_phases.py',
    './_base_/default_runtime.py',
]
