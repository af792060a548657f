"""Changes for a test: its data, what it measures, and what it writes.

They raise :class:`~frcnn_plugin.errors.ConfigError` if they do not fit the config.
"""

import copy
from pathlib import Path

from mmengine.config import Config

from ..errors import ConfigError, SettingError
from .parts import component_of, datasets_of, nested_dicts, part_of

FLIP_BEFORE = ('LoadAnnotations', 'LoadProposals', 'PackDetInputs')
FILE_KEYS = ('img_id', 'img_path', 'ori_shape', 'img_shape')
FLIP_KEYS = ('flip', 'flip_direction')  # by which mmdet turns boxes back


def only_test(cfg: Config) -> None:
    """Set up no training, and load no checkpoint: who tests loads one that fits."""
    cfg.load_from, cfg.resume = None, False
    for name in ('train_dataloader', 'train_cfg', 'optim_wrapper', 'param_scheduler',
                 'val_dataloader', 'val_cfg', 'val_evaluator'):
        cfg.pop(name, None)


def set_split(cfg: Config, split: str) -> None:
    """Test on another split."""
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        if 'ann_file' in dataset:
            raise SettingError(f'{dataset["type"]} has no split files; its annotations '
                               'are named by test_dataloader.dataset.ann_file')
        dataset['split'] = split


def show_pictures(cfg: Config, folder: str) -> None:
    """Draw ground truth and detections."""
    hooks = part_of(cfg, 'default_hooks', {})
    part_of(hooks, 'visualization', dict(type='PicturesHook')).update(
        draw=True, test_out_dir=str(Path(folder).absolute()))


def dump_detections(cfg: Config, file: str) -> None:
    """Write all detections to a pickle, by mmdet's own evaluator."""
    if not file.endswith(('.pkl', '.pickle')):
        raise ConfigError(f'{file}: mmdet writes detections as .pkl')
    evaluators = cfg.test_evaluator
    cfg.test_evaluator = [
        *(evaluators if isinstance(evaluators, list) else [evaluators]),
        dict(type='DumpDetResults', out_file_path=file)]


def measure_recall(cfg: Config, nums: tuple[int, ...]) -> None:
    """Evaluate so many of the proposals, and no second stage.

    Raises:
        ConfigError: If the detector is one of mmdet's, which cannot do without one.
    """
    if component_of(cfg.model, cfg.get('default_scope'))[0] == 'mmdet':
        raise ConfigError("recall is measured with type='frcnn_plugin.FasterRCNN', "
                          "which takes mmdet's heads, too")
    cfg.model.roi_head = None
    cfg.test_evaluator = dict(type='ProposalRecall', nums=nums)
    (cfg.get('default_hooks') or {}).pop('report', None)  # proposals are of no class
    limits = dict(nms_pre=6 * max(nums), max_per_img=max(nums))
    head = cfg.model.get('rpn_head')
    if not head:
        return
    stock = head.get('test_cfg') or (cfg.model.get('test_cfg') or {}).get('rpn')
    if head.get('proposal_creator'):
        head.proposal_creator.test = limits
    elif stock:
        stock.update(limits)
    else:
        head.proposal_creator = dict(type='frcnn_plugin.ProposalCreator', test=limits)


def use_file(cfg: Config, file: str) -> None:
    """Test an exported detector, which resizes the pictures by itself."""
    cfg.model = dict(type='FileModel', file=file)
    leave_pictures(cfg)


def use_tiles(cfg: Config, size: int, overlap: float) -> None:
    """Detect in tiles of the pictures."""
    if cfg.model.type == 'FileModel':
        cfg.model.update(tiles=size, overlap=overlap)
        return
    if not cfg.model.get('rpn_head'):
        raise ConfigError('proposals from a file are of whole pictures, not of their '
                          'tiles')
    data = next(iter(datasets_of(cfg, ('test_dataloader',))))
    cfg.model = dict(type='TiledModel', module=cfg.model, pipeline=data['pipeline'],
                     tiles=size, overlap=overlap)
    leave_pictures(cfg)


def leave_pictures(cfg: Config) -> None:
    """Give pictures as they are in their files to a detector."""
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        dataset['pipeline'] = [dict(type='LoadImageFromFile'),
                               dict(type='LoadAnnotations', with_bbox=True),
                               dict(type='PackDetInputs', meta_keys=FILE_KEYS)]


def use_detector(cfg: Config, carried: Config) -> None:
    """Test the detector of a config that a checkpoint carried, on this config's data.

    Both have the same classes.
    """
    cfg.model = carried.model
    source = next(datasets_of(carried, ('test_dataloader',)),
                  carried.test_dataloader.dataset)
    for dataset in datasets_of(cfg, ('test_dataloader',)):
        dataset['pipeline'] = source['pipeline']


def use_amp(cfg: Config) -> None:
    """Detect in mixed precision."""
    if cfg.model.type == 'FileModel':
        cfg.model.amp = True
    else:
        cfg.test_cfg.fp16 = True  # mmengine's loop: bfloat16 on a CPU


def use_tta(cfg: Config) -> None:
    """Detect in several versions of a picture and merge: mmdet's own augmentation.

    A config may bring its own ``tta_model`` and ``tta_pipeline``, as in mmdet. By
    default the picture and its mirror image are merged, at the config's size, with the
    detector's own suppression.
    """
    if not cfg.model.get('rpn_head'):
        raise ConfigError('proposals from a file are of the picture itself and not of '
                          'its mirror image: test-time augmentation needs an RPN')
    *_, own = {}, *(node for node in nested_dicts(cfg.model) if 'score_thr' in node)
    settings = dict(nms=own.get('nms', dict(type='nms', iou_threshold=0.5)),
                    max_per_img=own.get('max_per_img', 100))
    wrapper = cfg.get('tta_model') or dict(type='mmdet.DetTTAModel', tta_cfg=settings)
    cfg.model = dict(**wrapper, module=cfg.model)
    for dataset in [*datasets_of(cfg, ('test_dataloader',))] or [
            cfg.test_dataloader.dataset]:
        dataset['pipeline'] = cfg.get('tta_pipeline') or with_mirror_image(
            dataset['pipeline'])


def with_mirror_image(pipeline: list[dict]) -> list[dict]:
    """A test pipeline that also flips the picture, before annotations are loaded."""
    steps = copy.deepcopy(list(pipeline))
    names = [str(step['type']).rpartition('.')[2] for step in steps]
    place = next((i for i, name in enumerate(names) if name in FLIP_BEFORE), len(steps))
    for name, step in zip(names, steps, strict=True):
        if name == 'PackDetInputs':
            known = step.get('meta_keys', ('img_id', 'img_path', 'ori_shape',
                                           'img_shape', 'scale_factor'))
            step['meta_keys'] = tuple(dict.fromkeys([*known, *FLIP_KEYS]))
    versions = [dict(type='RandomFlip', prob=0.0), dict(type='RandomFlip', prob=1.0)]
    return [steps[0], dict(type='TestTimeAug', transforms=[
        *([step] for step in steps[1:place]), versions,
        *([step] for step in steps[place:])])]
