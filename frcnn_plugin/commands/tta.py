"""Test-time augmentation by mmdet: detections of several versions of a picture merged.

Comes in: a config. Goes out: the same config, changed in place.
"""

import copy

from mmengine.config import Config

from ..config.parts import nested_dicts
from ..errors import UserError

BEHIND = ('LoadAnnotations', 'LoadProposals', 'PackDetInputs')  # what flips come before
KEYS = ('flip', 'flip_direction')  # by which mmdet turns boxes back


def set_tta(cfg: Config) -> None:
    """Wrap the detector and the pipeline of its test.

    A config may bring its own ``tta_model`` and ``tta_pipeline``, as in mmdet. By
    default the picture and its mirror image are merged, at the config's size, with the
    detector's own suppression.

    Raises:
        UserError: If the detector can not be wrapped so.
    """
    if not cfg.model.get('rpn_head'):
        raise UserError('--tta: proposals from a file are of the picture itself, and '
                        'not of its mirror image')
    tests = [node for node in nested_dicts(cfg.model) if 'score_thr' in node]
    settings = dict(nms=dict(type='nms', iou_threshold=0.5), max_per_img=100)
    for name in settings:
        if tests and name in tests[-1]:
            settings[name] = tests[-1][name]
    wrapper = cfg.get('tta_model') or dict(type='mmdet.DetTTAModel', tta_cfg=settings)
    cfg.model = dict(**wrapper, module=cfg.model)
    dataset = cfg.test_dataloader.dataset
    dataset.pipeline = cfg.get('tta_pipeline') or with_mirror_image(dataset.pipeline)


def with_mirror_image(pipeline: list[dict]) -> list[dict]:
    """A test pipeline that also flips the picture, before annotations are loaded."""
    steps = copy.deepcopy(list(pipeline))
    names = [str(step['type']).rpartition('.')[2] for step in steps]
    place = next((i for i, name in enumerate(names) if name in BEHIND), len(steps))
    for name, step in zip(names, steps, strict=True):
        if name == 'PackDetInputs':
            known = step.get('meta_keys', ('img_id', 'img_path', 'ori_shape',
                                           'img_shape', 'scale_factor'))
            step['meta_keys'] = (*known, *(key for key in KEYS if key not in known))
    versions = [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)]
    return [steps[0], dict(type='TestTimeAug', transforms=[
        *([step] for step in steps[1:place]), versions,
        *([step] for step in steps[place:])])]
