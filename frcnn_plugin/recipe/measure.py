"""How long a step of training takes on this machine."""

import copy
import math
import statistics
import time
from contextlib import nullcontext

import numpy as np
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.model import BaseModel
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from ..accelerate import for_training
from ..accelerate.precision import mixed_precision
from ..registry import MODELS, SCOPE
from .choose import rounded
from .facts import Facts

STEPS = 3
# settings of the wrapper that the time of an update depends on
UPDATE = ('optimizer', 'constructor', 'paramwise_cfg', 'clip_grad')


def seconds_of_a_step(cfg: Config, facts: Facts, size: tuple[int, int],
                      amp: bool) -> float:
    """The median over a few steps on random pictures with as many boxes as usual.

    It is a forward and a backward pass and the optimizer's update, on a GPU if there is
    one; the data loader's work is not in it.

    Args:
        cfg: The config of the detector.
        facts: Of the pictures to train on.
        size: Width and height of the input in pixels. Batches are scaled by the root
            mean square of the least and largest factors of the config's
            ``batch_augments``, roughly that of all batches; one of the largest factor
            comes first, untimed, so that a lack of memory shows early.
        amp: Whether it trains in mixed precision.
    """
    device = 'cuda' if torch.cuda.is_available() else 'cpu'
    cfg = copy.deepcopy(cfg)
    augments = cfg.model.data_preprocessor.pop('batch_augments', None) or []
    sizes = [(*each.scales, *(each.get('until') or each.scales))
             for each in augments if 'scales' in each]
    with DefaultScope.overwrite_default_scope(SCOPE):
        model: BaseModel = MODELS.build(cfg.model)
        for_training(model.to(device)).train()
        update = {name: cfg.optim_wrapper[name] for name in UPDATE
                  if name in cfg.optim_wrapper}
        optim_wrapper = build_optim_wrapper(model, dict(type='OptimWrapper', **update))
    for group in optim_wrapper.param_groups:
        group['lr'] = 0.0  # every step does the same work
    number = max(1, round(len(facts.boxes) / len(facts.sizes)))

    def step(factor: float) -> float:
        width, height = map(rounded, np.multiply(size, factor))
        images, samples = random_batch(
            cfg.train_dataloader.batch_size, height, width, number)
        began = time.monotonic()
        data = model.data_preprocessor(
            dict(inputs=images, data_samples=samples), training=True)
        with mixed_precision(device) if amp else nullcontext():
            total, _ = model.parse_losses(model(**data, mode='loss'))
        optim_wrapper.update_params(total)
        if device == 'cuda':
            torch.cuda.synchronize()
        return time.monotonic() - began

    step(math.prod(max(each) for each in sizes))  # the largest: does it fit?
    average = math.prod(np.sqrt(np.mean(np.square(each))) for each in sizes)
    return statistics.median([step(average) for _ in range(1 + STEPS)][1:])


def random_batch(batch: int, height: int, width: int, number: int
                 ) -> tuple[list[torch.Tensor], list[DetDataSample]]:
    """Images (3, height, width) and their samples, each with so many equal boxes."""
    boxes = torch.tensor([[0.0, 0.0, 0.3 * width, 0.3 * height]]).repeat(number, 1)
    samples = []
    for _ in range(batch):
        sample = DetDataSample(metainfo=dict(
            img_shape=(height, width), ori_shape=(height, width),
            scale_factor=(1.0, 1.0), img_path=''))
        sample.gt_instances = InstanceData(
            bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.long))
        sample.ignored_instances = InstanceData(bboxes=boxes[:0], labels=boxes[:0, 0])
        samples.append(sample)
    return list(torch.randint(0, 256, (batch, 3, height, width)).float()), samples
