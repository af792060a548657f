"""Our weights under the names and in the orders of mmdet and torchvision."""

from ..errors import CheckpointError
from ..io.checkpoints import StateDict
from . import layouts
from .peers import MMDET, TORCHVISION, Rules, rename


def to_mmdet(state: StateDict) -> StateDict:
    """A ``FasterRCNN`` of mmdet, R50-C4 or R50-FPN.

    Deltas of the background, which mmdet has none of, are left out.

    Raises:
        CheckpointError: If mmdet has no such parts.
    """
    state = layouts.swap_objectness(layouts.drop_background_deltas(state))
    return rename(state, reverse(MMDET), "mmdet's FasterRCNN")


def to_torchvision(state: StateDict) -> StateDict:
    """A ``fasterrcnn_resnet50_fpn`` of torchvision.

    Its background has deltas, which nothing reads: 0 where ours has none.

    Raises:
        CheckpointError: If torchvision has no such parts.
    """
    deltas = state.get(f'{layouts.REG}weight', ())
    if len(deltas) <= 4 or 'neck.fpn_convs.3.conv.bias' not in state:
        raise CheckpointError(
            'torchvision has Faster R-CNN only on an FPN of four levels and a pooled '
            'one, with deltas for each class')
    state = layouts.background_first(layouts.add_background_deltas(state))
    return rename(state, reverse(TORCHVISION), "torchvision's fasterrcnn_resnet50_fpn")


def reverse(rules: Rules) -> Rules:
    """From our names to theirs; both are one to one."""
    return [(ours, theirs) for theirs, ours in rules]
