"""A checkpoint as a detector, by torch."""

from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path

import cv2
import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.model import BaseModel
from mmengine.registry import DefaultScope

from ..accelerate.inference import fold_batch_norms, for_inference
from ..accelerate.precision import check_mixed_precision, half_type, mixed_precision
from ..config.parts import nested_dicts
from ..errors import CheckpointError, ConfigError, DataError, UserError
from ..evaluation.operating_points import KEY
from ..io.checkpoints import check_fit, read_checkpoint
from ..registry import MODELS, SCOPE, explain_config
from .carried_config import class_names, config_of_checkpoint
from .detector import Detector
from .prediction import Prediction

UNUSED = ('LoadImageFromFile', 'LoadAnnotations')  # of a pipeline: there are no files


class ModelDetector(Detector):
    """A detector of mmdet in memory, with the pipeline that its pictures go through.

    Args:
        model: The detector.
        pipeline: The steps of its config's ``test_dataloader``; those that read files
            are left out.
        scope: The registry scope of the steps' names.
    """

    amp = False
    classes: tuple[str, ...] = ()  # only numbers of classes are known

    def __init__(self, model: BaseModel, pipeline: list[dict],
                 scope: str = SCOPE) -> None:
        self.model, self.scope = model, scope
        self.device = next(model.parameters()).device
        with DefaultScope.overwrite_default_scope(scope):
            self.pipeline = Compose([
                step for step in pipeline
                if str(step.get('type')).rpartition('.')[2] not in UNUSED])

    def detect(self, images: Sequence[np.ndarray]) -> list[Prediction]:
        """What is in a batch of (H, W, 3) uint8 images, BGR."""
        samples = [self.prepare(image) for image in images]
        mixed = mixed_precision(self.device) if self.amp else nullcontext()
        with (torch.inference_mode(), mixed,
              DefaultScope.overwrite_default_scope(self.scope)):
            found = self.model.test_step(pseudo_collate(samples))
        predictions = []
        for instances in (each.pred_instances for each in found):
            order = instances.scores.argsort(descending=True)
            parts = (instances[name][order].cpu().numpy()
                     for name in ('bboxes', 'scores', 'labels'))
            predictions.append(self.prediction(*parts))
        return predictions

    def prepare(self, image: np.ndarray) -> dict:
        """An image after the config's pipeline: ``inputs`` and ``data_samples``."""
        height, width = image.shape[:2]
        try:
            with DefaultScope.overwrite_default_scope(self.scope):
                return self.pipeline(dict(
                    img=image, img_path='', img_id=0, img_shape=(height, width),
                    ori_shape=(height, width), height=height, width=width))
        except cv2.error as error:
            raise DataError(f'{width}x{height} pixels: cannot be resized'
                            ) from error


class TorchDetector(ModelDetector):
    """What ``Detector(checkpoint)`` is, if the checkpoint is one of training.

    Args:
        checkpoint: A file that training or ``frcnn convert`` wrote; it contains its
            config and its classes, which are read as data. None: random weights, and a
            config must be given.
        config: A config file to use in place of the one in the checkpoint.
        device: ``'cuda'``, ``'cpu'``, ...; default: a GPU if there is one.
        classes: Names to use in place of those in the checkpoint.
        compile: Whether to compile it; see :func:`for_inference`.
        fast: Whether it is made ready by :func:`for_inference`. Without it, batch
            normalisation is folded and the parts stay the plain ones.
        amp: Whether it runs in mixed precision: float16 on a GPU, bfloat16 on a CPU.

    Raises:
        UserError: If the checkpoint cannot be read, does not fit, or contains no config
            while none is given; if its detector needs proposals from a file; if the
            device cannot be used, or has no mixed precision.
    """

    def __init__(self, checkpoint: str | Path | None, config: str | Path | None = None,
                 device: str | None = None, classes: Iterable[str] | None = None,
                 compile: bool = False, fast: bool = True, amp: bool = False) -> None:
        content = {} if checkpoint is None else read_checkpoint(checkpoint)
        meta = content.get('meta') or {}
        cfg = config_of_checkpoint(str(checkpoint), meta, config)
        where, self.amp = find_device(device), amp
        if amp:
            check_mixed_precision(where)
        self.classes = tuple(classes or class_names(meta, cfg))
        self.tiles = cfg.get('tiles')
        self.scope = cfg.get('default_scope') or SCOPE
        with DefaultScope.overwrite_default_scope(self.scope), explain_config():
            model = MODELS.build(cfg.model)
            super().__init__(model, cfg.test_dataloader.dataset.pipeline, self.scope)
        if getattr(model, 'rpn_head', None) is None:
            raise ConfigError(f'{checkpoint}: this detector has no RPN and can only '
                              'run on the data set that its proposal file was made '
                              'for')
        for node in nested_dicts(cfg.model.get('roi_head')):
            number = node.get('num_classes', len(self.classes))
            if number != len(self.classes):
                raise CheckpointError(
                    f'{checkpoint or config}: has {number} classes, but '
                    f'{len(self.classes)} names were given for them: '
                    f'{", ".join(self.classes)}')
        self.take_operating_points(meta.get(KEY), str(checkpoint))
        if checkpoint is None:
            model.init_weights()
        else:
            check_fit(model, content['state_dict'], str(checkpoint))
            model.load_state_dict(content['state_dict'], strict=False)
        model, self.device = model.to(where), where
        dtype = half_type(where) if amp and where.type != 'cpu' else None
        self.model = (for_inference(model, compile, dtype) if fast
                      else fold_batch_norms(model))


def find_device(name: str | None) -> torch.device:
    """The device of a name; raises :class:`UserError` if there is none."""
    try:
        device = torch.device(name or ('cuda' if torch.cuda.is_available() else 'cpu'))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'device {name}: cannot be used ({reason})') from error
    return device
