"""Non-maximum suppression on a GPU that the host need not wait for.

torchvision's kernel returns as many indices as boxes stay, a number that the host has
to ask for. These two kernels return a mask, whose size is known, so that all of
inference can be one CUDA graph; and boxes of different images are never compared.
"""

import torch
import triton
import triton.language as tl
from torch import Tensor

from ..ops.suppression import masked_nms, nms_inputs, spread

ROWS, BITS = 64, 32  # boxes of a tile; 32 answers are one word
WORDS = 2**28  # in one call, of 4 bytes each


def triton_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, iou_thr: float,
               groups: Tensor | None = None, offset: int = 0, num: int = -1) -> Tensor:
    """The same as :func:`frcnn_plugin.ops.masked_nms`, which it calls off a GPU.

    Once ``num`` boxes of an image are found the others are False, whether they would
    stay or not.
    """
    if bboxes.device.type != 'cuda':
        return masked_nms(bboxes, scores, mask, iou_thr, groups, offset, num)
    return torch.ops.frcnn_plugin.triton_nms(
        *nms_inputs(bboxes, scores, groups, offset, mask), iou_thr, num)


@torch.library.custom_op('frcnn_plugin::triton_nms', mutates_args=())
def _triton_nms(bboxes: Tensor, scores: Tensor, mask: Tensor, groups: Tensor | None,
                iou_thr: float, num: int) -> Tensor:
    images, number = scores.shape
    if not scores.numel():
        return mask.clone()
    order = scores.masked_fill(~mask, float('-inf')).argsort(
        dim=1, descending=True, stable=True)
    boxes = torch.where(mask.unsqueeze(-1), bboxes, 0)
    boxes = boxes.double() if groups is None else spread(boxes, groups)
    boxes = boxes.gather(1, order.unsqueeze(-1).expand(-1, -1, 4)).contiguous()
    real = mask.sum(1, dtype=torch.int32)
    words = triton.cdiv(number, BITS)
    kept = torch.zeros(images, number, dtype=torch.int8, device=mask.device)
    step = max(1, WORDS // (number * words))
    for part in (slice(start, start + step) for start in range(0, images, step)):
        count = len(real[part])
        overlaps = torch.empty(
            count, number, words, dtype=torch.int32, device=mask.device)
        with torch.cuda.device_of(boxes):
            compare[count, triton.cdiv(number, ROWS), words](
                boxes[part], real[part], overlaps, number, words, THRESHOLD=iou_thr,
                ROWS=ROWS, BITS=BITS)
            choose[count,](
                overlaps, real[part], kept[part], number, words,
                num if num > 0 else number, SIZE=triton.next_power_of_2(words),
                BITS=BITS, num_warps=1)
    return torch.zeros_like(mask).scatter(1, order, kept > 0)


_triton_nms.register_fake(lambda bboxes, scores, mask, *_: torch.empty_like(mask))


@triton.jit
def compare(boxes, real, overlaps, number, words, THRESHOLD: tl.constexpr,
            ROWS: tl.constexpr, BITS: tl.constexpr):
    """Which of 32 boxes each of 64 better ones overlaps too much, a bit for each."""
    image, tile, word = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    count = tl.load(real + image)
    first, end = tile * ROWS, (word + 1) * BITS
    # else none of them is real, or all 32 are the better ones
    if (first < count) & (end - BITS < count) & (end > first):
        rows = first + tl.arange(0, ROWS)
        columns = end - BITS + tl.arange(0, BITS)
        mine = boxes + (image * number + rows) * 4
        theirs = boxes + (image * number + columns) * 4
        inside, there = rows < number, columns < number
        x1 = tl.load(mine, inside, 0.0)[:, None]
        y1 = tl.load(mine + 1, inside, 0.0)[:, None]
        x2 = tl.load(mine + 2, inside, 0.0)[:, None]
        y2 = tl.load(mine + 3, inside, 0.0)[:, None]
        u1 = tl.load(theirs, there, 0.0)[None, :]
        v1 = tl.load(theirs + 1, there, 0.0)[None, :]
        u2 = tl.load(theirs + 2, there, 0.0)[None, :]
        v2 = tl.load(theirs + 3, there, 0.0)[None, :]
        width = tl.maximum(tl.minimum(x2, u2) - tl.maximum(x1, u1), 0.0)
        height = tl.maximum(tl.minimum(y2, v2) - tl.maximum(y1, v1), 0.0)
        shared = width * height
        union = (x2 - x1) * (y2 - y1) + (u2 - u1) * (v2 - v1) - shared
        limit = tl.full([1, 1], THRESHOLD, tl.float64)  # else it would be rounded
        bits = (shared / union > limit).to(tl.int32) << tl.arange(0, BITS)[None, :]
        tl.store(overlaps + (image * number + rows).to(tl.int64) * words + word,
                 tl.sum(bits, 1), inside)


@triton.jit
def choose(overlaps, real, kept, number, words, num, SIZE: tl.constexpr,
           BITS: tl.constexpr):
    """Best first, each box of an image stays unless one that stays suppresses it."""
    image = tl.program_id(0)
    places = tl.arange(0, SIZE)
    removed = tl.zeros([SIZE], tl.int32)
    count = tl.load(real + image)
    found, row = 0, 0
    while (row < count) & (found < num):
        word = row // BITS
        bits = tl.sum(tl.where(places == word, removed, 0))
        if ((bits >> (row % BITS)) & 1) == 0:
            tl.store(kept + image * number + row, 1)
            line = overlaps + (image * number + row).to(tl.int64) * words
            removed |= tl.load(line + places, (places >= word) & (places < words), 0)
            found += 1
        row += 1
