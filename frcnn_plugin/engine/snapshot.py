"""What a training step was made of, stored to be examined later."""

from pathlib import Path

import torch
from mmengine.runner import Runner
from torch import nn

from ..io.whole_files import whole_or_absent


def save_snapshot(runner: Runner, model: nn.Module, batch: dict,
                  losses: dict[str, float]) -> Path:
    """Store a step.

    Args:
        runner: The runner; the file goes to its work dir.
        model: The model, without its wrapper.
        batch: ``inputs`` and ``data_samples`` from the loader.
        losses: All losses of the step.

    Returns:
        Path: The file, to be read by ``torch.load``: ``inputs``, ``gt_bboxes``,
        ``gt_labels``, ``images``, ``losses``, ``state_dict``.
    """
    samples = batch['data_samples']
    path = Path(runner.work_dir) / f'non_finite_iter_{runner.iter + 1}.pt'
    with whole_or_absent(path) as file:
        torch.save(dict(
            inputs=batch['inputs'], images=image_names(batch), losses=losses,
            gt_bboxes=[getattr(sample.gt_instances.bboxes, 'tensor',  # mmdet's class
                               sample.gt_instances.bboxes) for sample in samples],
            gt_labels=[sample.gt_instances.labels for sample in samples],
            state_dict={name: value.cpu()
                        for name, value in model.state_dict().items()}), file)
    return path


def image_names(batch: dict) -> list[str]:
    """The paths of a batch's images."""
    return [str(sample.metainfo.get('img_path', 'an image without a name'))
            for sample in batch['data_samples']]


def non_finite_buffers(model: nn.Module) -> list[str]:
    """Names of statistics that the forward pass of a bad batch has corrupted."""
    return [name for name, value in model.named_buffers()
            if value.is_floating_point() and not torch.isfinite(value).all()]
