"""A trained detector in two lines.

    from frcnn_plugin import Detector
    prediction = Detector('work_dirs/demo/iter_500.pth')('picture.jpg')
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

import mmcv
import numpy as np
import torch
from mmengine.dataset import Compose, pseudo_collate
from mmengine.registry import DefaultScope
from PIL import Image

from ..accelerate.inference import fold_batch_norms, for_inference
from ..config.parts import nested_dicts
from ..errors import CheckpointError, ConfigError, DataError, UserError
from ..io.checkpoints import check_fit, read_checkpoint
from ..registry import MODELS, SCOPE, explain_config
from .carried_config import class_names, config_of_checkpoint
from .prediction import Prediction

UNUSED = ('LoadImageFromFile', 'LoadAnnotations')  # of a pipeline: there are no files


class Detector:
    """A detector with its weights, ready for images.

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

    Raises:
        UserError: If the checkpoint cannot be read, does not fit, or contains no config
            while none is given; if its detector needs proposals from a file.
    """

    def __init__(self, checkpoint: str | Path | None, config: str | Path | None = None,
                 device: str | None = None, classes: Iterable[str] | None = None,
                 compile: bool = False, fast: bool = True) -> None:
        content = {} if checkpoint is None else read_checkpoint(checkpoint)
        meta = content.get('meta') or {}
        cfg = config_of_checkpoint(str(checkpoint), meta, config)
        self.device = find_device(device)
        self.classes = tuple(classes or class_names(meta, cfg))
        self.scope = cfg.get('default_scope') or SCOPE
        with DefaultScope.overwrite_default_scope(self.scope), explain_config():
            model = MODELS.build(cfg.model)
            self.pipeline = Compose([
                step for step in cfg.test_dataloader.dataset.pipeline
                if str(step.get('type')).rpartition('.')[2] not in UNUSED])
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
        if checkpoint is None:
            model.init_weights()
        else:
            check_fit(model, content['state_dict'], str(checkpoint))
            model.load_state_dict(content['state_dict'], strict=False)
        model = model.to(self.device)
        self.model = for_inference(model, compile) if fast else fold_batch_norms(model)

    def __call__(self, images, batch_size: int = 8):
        """Detect in an image, or in a list of them, ``batch_size`` at once.

        Args:
            images: A path, a PIL image or an (H, W, 3) uint8 array in BGR, as OpenCV
                reads it; or a list of them.

        Returns:
            Prediction: Of the image, or a list of them.

        Raises:
            UserError: If an image cannot be read.
        """
        if isinstance(images, list | tuple):
            return list(self.stream(images, batch_size))
        return next(self.stream([images]))

    def stream(self, images: Iterable, batch_size: int = 8) -> Iterator[Prediction]:
        """Detect in images that come one after another, such as those of a video."""
        images = iter(images)
        while batch := list(islice(images, batch_size)):
            samples = [self.prepare(image) for image in batch]
            with (torch.inference_mode(),
                  DefaultScope.overwrite_default_scope(self.scope)):
                found = self.model.test_step(pseudo_collate(samples))
            for instances in (each.pred_instances for each in found):
                order = instances.scores.argsort(descending=True)
                parts = (instances[name][order].cpu().numpy()
                         for name in ('bboxes', 'scores', 'labels'))
                yield Prediction(*parts, self.classes)

    def prepare(self, image) -> dict:
        """An image after the config's pipeline: ``inputs`` and ``data_samples``."""
        image = read_image(image)
        with DefaultScope.overwrite_default_scope(self.scope):
            return self.pipeline(dict(
                img=image, img_path='', img_id=0, img_shape=image.shape[:2],
                ori_shape=image.shape[:2], height=image.shape[0], width=image.shape[1]))


def find_device(name: str | None) -> torch.device:
    """The device of a name; raises :class:`UserError` if there is none."""
    try:
        device = torch.device(name or ('cuda' if torch.cuda.is_available() else 'cpu'))
        torch.zeros(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f'device {name}: cannot be used ({reason})') from error
    return device


def read_image(image) -> np.ndarray:
    """(H, W, 3) uint8, BGR; raises :class:`DataError` if it is not an image."""
    if isinstance(image, str | Path):
        if not Path(image).is_file():
            raise DataError(f'{image}: no such image')
        try:
            found = mmcv.imread(str(image))
        except Exception as error:  # of OpenCV and others
            raise DataError(f'{image}: not a readable image ({error})') from error
        if found is None:
            raise DataError(f'{image}: not a readable image')
        return found
    if isinstance(image, Image.Image):
        return np.asarray(image.convert('RGB'))[..., ::-1].copy()
    what = f'a {type(image).__name__}'
    if isinstance(image, np.ndarray):
        if image.dtype == np.uint8 and image.ndim == 3 and image.shape[2] == 3:
            return image
        what = f'an array of {image.dtype} {image.shape}'
    raise DataError('an image is a path, a PIL image or a uint8 array (H, W, 3), '
                    f'not {what}')
