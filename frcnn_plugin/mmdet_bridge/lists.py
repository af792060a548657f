"""Between mmdet's lists of ``InstanceData`` and our padded batches.

Loops over images are here, and where parts of mmdet want one image at a time. The way
in only stacks; the way out has to know how many rows are real, so there the host waits
for the GPU, once. ``torch.compile`` skips these functions, or it would recompile for
every count.
"""

from collections.abc import Sequence

import torch
from mmdet.structures.bbox import get_box_tensor
from mmengine.structures import InstanceData
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from ..structures.padded import Detections, GroundTruth, Proposals


@torch.compiler.disable
def image_sizes(batch_img_metas: Sequence[dict], device) -> Tensor:
    """(B, 2) float32 height and width of each image, as resized, without padding."""
    sizes = [meta['img_shape'][:2] for meta in batch_img_metas]
    return to_device(torch.tensor(sizes, dtype=torch.float32), device)


def to_device(values: Tensor, device: torch.device | str) -> Tensor:
    """The same on a device; the host does not wait until a GPU has taken them."""
    if torch.device(device).type == 'cuda' and torch.cuda.is_initialized():
        values = values.pin_memory()
    return values.to(device, non_blocking=True)


def pad_rows(rows: list[Tensor]) -> tuple[Tensor, Tensor]:
    """Stack (n_i, ...) tensors to (B, max(n_i, 1), ...) with zeros, and their mask."""
    padded = pad_sequence(rows, batch_first=True)
    if padded.size(1) == 0:
        padded = padded.new_zeros(padded.size(0), 1, *padded.shape[2:])
    counts = to_device(torch.tensor([len(row) for row in rows]), padded.device)
    mask = torch.arange(padded.size(1), device=padded.device) < counts.view(-1, 1)
    return padded, mask


@torch.compiler.disable
def pack_ground_truth(batch_gt_instances: Sequence[InstanceData]) -> GroundTruth:
    """Pad the annotated instances of each image to one batch.

    Args:
        batch_gt_instances: B instances with ``bboxes`` (n, 4) and ``labels`` (n,).

    Returns:
        GroundTruth: With G the largest n, at least 1.
    """
    bboxes, mask = pad_rows([
        get_box_tensor(gt.bboxes).float().reshape(-1, 4) for gt in batch_gt_instances])
    labels, _ = pad_rows([gt.labels.long() for gt in batch_gt_instances])
    gt = GroundTruth(bboxes, labels, mask)
    for field in gt:
        torch._dynamo.maybe_mark_dynamic(field, 1)  # G is another in every batch
    return gt


@torch.compiler.disable
def instances_to_proposals(batch_instances: Sequence[InstanceData]) -> Proposals:
    """Pad the proposals of mmdet's RPNs, or of a proposal file, to one batch.

    Args:
        batch_instances: B instances with ``bboxes`` (n, 4) and, if they have them,
            ``scores`` (n,); without scores each counts as 1.
    """
    boxes = [get_box_tensor(instances.bboxes).float() for instances in batch_instances]
    bboxes, mask = pad_rows(boxes)
    scores, _ = pad_rows([
        instances.scores.float() if 'scores' in instances else box.new_ones(len(box))
        for instances, box in zip(batch_instances, boxes, strict=True)])
    return Proposals(bboxes, scores, mask)


@torch.compiler.disable
def unpack(mask: Tensor, **fields: Tensor) -> list[InstanceData]:
    """Cut the padding off (B, N, ...) fields: one ``InstanceData`` for each image.

    Of the (B, N) mask, the rows that are True come first in each image.
    """
    return [
        InstanceData(**{name: field[i, :count] for name, field in fields.items()})
        for i, count in enumerate(mask.sum(1).tolist())]


def detections_to_instances(detections: Detections) -> list[InstanceData]:
    """Detections as mmdet's heads return them."""
    return unpack(**detections._asdict())


def instances_to_detections(batch_instances: Sequence[InstanceData]) -> Detections:
    """Pad the detections of mmdet's heads to one batch."""
    (bboxes, mask), (scores, _), (labels, _) = (
        pad_rows([each[name] for each in batch_instances])
        for name in ('bboxes', 'scores', 'labels'))
    return Detections(bboxes, scores, labels, mask)


def proposals_to_instances(proposals: Proposals) -> list[InstanceData]:
    """Proposals as mmdet's RPNs return them; every label is 0."""
    labels = torch.zeros_like(proposals.mask, dtype=torch.long)
    return unpack(**proposals._asdict(), labels=labels)


@torch.compiler.disable
def rescale_bboxes(batch: Proposals | Detections,
                   batch_img_metas: Sequence[dict]) -> Proposals | Detections:
    """The same with boxes in pixels of the original images, by ``scale_factor``."""
    factors = [tuple(meta['scale_factor']) * 2 for meta in batch_img_metas]
    factors = to_device(torch.tensor(factors), batch.bboxes.device)
    factors = factors.to(batch.bboxes).unsqueeze(1)  # (B, 1, 4)
    return batch._replace(bboxes=batch.bboxes / factors)
