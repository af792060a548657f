"""Losses that are no numbers, seen before they reach a weight.

Comes in: a model. Goes out: the same one, which stops in the middle of such a step.
"""

import io
from pathlib import Path

import torch
from mmengine.dist import all_reduce
from mmengine.runner import Runner
from torch import Tensor, nn

from ..io.whole_files import write_whole


class NonFiniteLoss(Exception):
    """A loss is NaN or infinite.

    Args:
        losses: All losses of the step, by name.
    """

    def __init__(self, losses: dict[str, float]) -> None:
        self.losses = losses
        bad = [f'{name} is {value}' for name, value in losses.items()
               if name != 'loss' and not abs(value) < float('inf')]
        super().__init__(', '.join(bad) or 'the loss of another process is not finite')


def watch_losses(model: nn.Module) -> None:
    """Let a step end before its backward pass if its loss is not finite.

    On a GPU the host waits for the loss, once a step. All processes of a job stop.

    Args:
        model: An mmengine model; :class:`NonFiniteLoss` comes out of its
            ``train_step``.
    """
    parse = model.parse_losses

    def parse_and_look(losses: dict) -> tuple[Tensor, dict[str, Tensor]]:
        total, by_name = parse(losses)
        bad = (~torch.isfinite(total.detach())).float().reshape(1)
        all_reduce(bad, 'max')
        if bad.item():
            raise NonFiniteLoss({name: float(value.detach())
                                 for name, value in by_name.items()})
        return total, by_name

    model.parse_losses = parse_and_look


def save_snapshot(runner: Runner, model: nn.Module, batch: dict,
                  losses: dict[str, float]) -> Path:
    """Store what the step was made of, to be looked at later.

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
    content = dict(
        inputs=batch['inputs'], images=image_names(batch), losses=losses,
        gt_bboxes=[getattr(sample.gt_instances.bboxes, 'tensor',  # mmdet's own class
                           sample.gt_instances.bboxes) for sample in samples],
        gt_labels=[sample.gt_instances.labels for sample in samples],
        state_dict={name: value.cpu() for name, value in model.state_dict().items()})
    file = io.BytesIO()
    torch.save(content, file)
    path = Path(runner.work_dir) / f'non_finite_iter_{runner.iter + 1}.pt'
    write_whole(path, file.getvalue())
    return path


def image_names(batch: dict) -> list[str]:
    """The paths of a batch's images."""
    return [str(sample.metainfo.get('img_path', 'an image without a name'))
            for sample in batch['data_samples']]


def broken_buffers(model: nn.Module) -> list[str]:
    """Statistics that a bad batch has spoilt already in the forward pass."""
    return [name for name, value in model.named_buffers()
            if value.is_floating_point() and not torch.isfinite(value).all()]
