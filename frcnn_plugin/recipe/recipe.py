"""The recipe for a data set: decisions, and the config that they make."""

from dataclasses import dataclass, replace
from pathlib import Path

from mmengine.config import Config

from ..config.changes import set_classes, set_data_root
from ..config.files import load_config
from .choose import (
    MULTIPLE,
    TINY,
    anchor_ratios,
    anchor_sizes,
    input_size,
    may_flip,
    rounded,
)
from .facts import Facts
from .tiled import cut_into_tiles

BASE = 'frcnn_r18_c4_shapes'
STRIDE = 16
WIDTH = 64  # channels of the first stage of a ResNet
WIDTH_STEP = 16  # narrower backbones have multiples of it, see narrower()
SIZES = dict(scales=(0.5, 0.8), until=(0.85, 1.25))  # factors on the input size
LEAST_SCORE = 0.001  # of a detection: a long training makes its scores extreme
PROPOSALS = (100, 300)  # fewest and most that go into the second stage
SUITED = (32, 205)  # a width, and for how many pictures it suffices: BCCD's, only
ENOUGH = 4000  # steps: with time for fewer, the backbone is narrower
FEW = 1000  # steps: with time for fewer, the pictures are smaller
SMALLEST = 0.5  # times the size that suits the boxes, for more steps
CHECKPOINT_EVERY = 60  # seconds


@dataclass
class Recipe:
    """What was decided for a data set.

    Attributes:
        width: Channels of the backbone's first stage; each later one has twice those
            of the one before.
        size: Longer and shorter side of the input in pixels.
        anchors: Sizes of anchors in pixels of the input.
        ratios: Their heights over widths.
        flip: Whether pictures are mirrored in training.
        batch: Pictures in a step.
        rate: The largest learning rate.
        proposals: Regions of a picture that the second stage sees in a test.
        tiles: The side in pixels of the squares that pictures are cut into, and that
            all of the above is about; None: pictures as they are.
    """

    width: int
    size: tuple[int, int]
    anchors: list[float]
    ratios: list[float]
    flip: bool
    batch: int
    rate: float
    proposals: int
    tiles: int | None = None


def recipe_for(facts: Facts, flip: bool = True, tiles: int | None = None) -> Recipe:
    """The recipe for some facts, of pictures or, where it says so, of their tiles.

    Without ``flip`` nothing is mirrored in any case.
    """
    size = input_size(facts)
    return Recipe(
        WIDTH, size, anchor_sizes(facts, size[0]), anchor_ratios(facts),
        flip and may_flip(facts), batch=2, rate=0.001,
        proposals=min(max(4 * facts.most, PROPOSALS[0]), PROPOSALS[1]), tiles=tiles)


def narrower(recipe: Recipe, facts: Facts, steps: float) -> Recipe:
    """The recipe with a narrower backbone, for few pictures or time for few steps.

    Its number of weights grows with the square of the width, and should not be much
    larger for each picture than in :data:`SUITED`: it would learn them by heart. The
    cost of a step is taken to grow with the width to the power of 1.5. The backbone
    becomes narrower until there are about :data:`ENOUGH` steps.

    Widths are multiples of :data:`WIDTH_STEP`: with two threads of the one processor
    where it was measured, torch's batch normalization took twice as long for 24
    channels as for 32 (docs/recipe.md).
    """
    most = SUITED[0] * (len(facts.sizes) / SUITED[1]) ** 0.5
    width = rounded(min(recipe.width * (steps / ENOUGH) ** (2 / 3), most), WIDTH_STEP)
    return replace(recipe, width=min(width, recipe.width))


def smaller(recipe: Recipe, facts: Facts, steps: float) -> Recipe:
    """The recipe with a smaller input, if there is time for only so many steps.

    The cost of a step is taken to grow with the area of its pictures. The input shrinks
    until there are :data:`FEW` steps, to about :data:`SMALLEST` of its size, and
    nine of ten boxes keep :data:`~frcnn_plugin.recipe.choose.TINY` pixels.
    """
    factor = max((steps / FEW) ** 0.5, SMALLEST)
    small = float(facts.quantiles(facts.shares, 0.1)[0])
    longer = rounded(max(factor * recipe.size[0], TINY / small))
    if longer >= recipe.size[0]:
        return recipe
    return replace(recipe, size=(longer, rounded(longer / facts.aspect)),
                   anchors=anchor_sizes(facts, longer))


def config_of(recipe: Recipe, classes: list[str], data_root: Path,
              splits: list[str]) -> Config:
    """The whole config of a recipe, but for the time.

    Args:
        recipe: What was decided.
        classes: In the order of their labels.
        data_root: A folder in VOC layout.
        splits: The splits in it: without ``val`` nothing is validated.
    """
    cfg = load_config(BASE)
    resize = dict(type='Resize', scale=recipe.size, keep_ratio=True)
    cfg.train_pipeline = [
        dict(type='LoadImageFromFile'),
        dict(type='LoadAnnotations', with_bbox=True),
        resize,
        dict(type='RandomFlip', prob=0.5 if recipe.flip else 0.0),
        dict(type='PhotoMetricDistortion'),
        dict(type='PackDetInputs'),
    ]
    cfg.test_pipeline[1] = resize
    model = cfg.model
    model.data_preprocessor.batch_augments = [
        dict(type='BatchRandomScale', **SIZES, divisor=MULTIPLE)]
    model.rpn_head.anchor_generator.update(
        scales=[size / STRIDE for size in recipe.anchors], ratios=recipe.ratios)
    model.rpn_head.proposal_creator.update(
        train=dict(nms_pre=1000, max_per_img=2 * recipe.proposals),
        test=dict(nms_pre=1000, max_per_img=recipe.proposals))
    if recipe.width != WIDTH:
        make_narrow(model, recipe.width)
    head = model.roi_head
    head.target_sampler.num = 64
    head.bbox_roi_extractor.roi_layer.output_size = 7
    head.bbox_head.roi_feat_size = 7
    head.test_cfg = dict(score_thr=LEAST_SCORE, nms=dict(type='nms', iou_threshold=0.5),
                         max_per_img=recipe.proposals)
    cfg.train_dataloader.update(batch_size=recipe.batch)
    cfg.train_dataloader.dataset.update(
        pipeline=cfg.train_pipeline, filter_cfg=dict(filter_empty_gt=False))
    for name in ('val', 'test'):
        loader = cfg[f'{name}_dataloader']
        loader.update(batch_size=4)
        loader.dataset.update(pipeline=cfg.test_pipeline)
        if name not in splits:
            loader.dataset.split = 'val' if 'val' in splits else 'train'
    if 'val' not in splits:
        for name in ('val_dataloader', 'val_cfg', 'val_evaluator'):
            cfg[name] = None
        cfg.default_hooks.checkpoint.save_best = None
    else:
        cfg.default_hooks.checkpoint.update(save_best='coco/AP', rule='greater')
    set_classes(cfg, classes)
    set_data_root(cfg, str(data_root))
    cfg.classes, cfg.data_root = tuple(classes), str(data_root)
    if recipe.tiles:
        cut_into_tiles(cfg, recipe.tiles)
    cfg.default_hooks.detector_file = dict(type='DetectorFileHook')
    cfg.train_cfg = dict(type='TimedTrainLoop')
    cfg.param_scheduler = None
    cfg.optim_wrapper.optimizer.lr = recipe.rate
    cfg.custom_hooks = [dict(type='EMAHook', momentum=0.01, update_buffers=True)]
    cfg.pop('scale', None)
    return cfg


def make_narrow(model: Config, width: int) -> None:
    """Give the detector a ResNet-18 C4 with so many channels in its first stage."""
    channels = 4 * width
    model.backbone = dict(
        type='mmdet.ResNet', depth=18, num_stages=3, strides=(1, 2, 2),
        dilations=(1, 1, 1), out_indices=(2,), base_channels=width, norm_eval=False)
    model.rpn_head.update(in_channels=channels, feat_channels=channels)
    model.roi_head.bbox_roi_extractor.out_channels = channels
    model.roi_head.bbox_head.in_channels = channels


def set_minutes(cfg: Config, minutes: float, step_seconds: float) -> None:
    """Train for some minutes; ``step_seconds`` is roughly what a step takes."""
    cfg.train_cfg.minutes = minutes
    cfg.default_hooks.checkpoint.update(
        interval=max(1, round(CHECKPOINT_EVERY / step_seconds)), max_keep_ckpts=1)
