"""The code bases whose checkpoints are known, and how their tensors become ours."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..errors import CheckpointError
from ..io.checkpoints import StateDict
from . import layouts

Rules = Sequence[tuple[str, str]]  # (theirs, ours), how names begin; # is a number
Step = Callable[[StateDict], StateDict]


@dataclass(frozen=True)
class Peer:
    """One code base and one architecture.

    Attributes:
        name: What it is called.
        config: The config in ``configs/peers`` that has its numbers.
        marks: Names that all of its checkpoints have; peers with one layout share them.
        rules: The beginnings of its names and what replaces them in ours.
        steps: What is done to the tensors after they are renamed.
        unused: Pattern of what its checkpoints hold beside weights.
    """

    name: str
    config: str
    marks: tuple[str, ...]
    rules: Rules
    steps: tuple[Step, ...] = ()
    unused: str | None = None

    def to_ours(self, state: StateDict) -> StateDict:
        """Its tensors under our names and in our order.

        Raises:
            CheckpointError: If there is a name without a place; all of them are named.
        """
        state = rename({name: value for name, value in state.items()
                        if not self.is_unused(name)}, self.rules, self.name)
        for step in (*self.steps, layouts.add_batch_counts):
            state = step(state)
        return state

    def is_unused(self, name: str) -> bool:
        """Whether a name is of something that is not a weight, such as anchors."""
        return bool(self.unused and re.search(self.unused, name))


def rename(state: StateDict, rules: Rules, source: str) -> StateDict:
    """Replace the beginning of every name by the first rule that it follows.

    Raises:
        CheckpointError: If a name follows none; all such names are in the message.
    """
    patterns = [(re.compile(re.escape(old).replace(r'\#', r'(\d+)')),
                 new.replace('#', '{}')) for old, new in rules]
    renamed, left_over = {}, []
    for name, value in state.items():
        for pattern, new in patterns:
            if found := pattern.match(name):
                renamed[new.format(*found.groups()) + name[found.end():]] = value
                break
        else:
            left_over.append(name)
    if left_over:
        raise CheckpointError(f'{len(left_over)} tensors have no place in '
                              f'{source}: {", ".join(left_over)}')
    return renamed


_HEAD = 'roi_head.bbox_head'
MMDET = (
    # the one convolution of an RPN is not in a list, and ReLUs are not layers
    ('rpn_head.rpn_conv.weight', 'rpn_head.rpn_conv.0.weight'),
    ('rpn_head.rpn_conv.bias', 'rpn_head.rpn_conv.0.bias'),
    (f'{_HEAD}.shared_fcs.1.', f'{_HEAD}.shared_fcs.2.'),
    *((name, name) for name in (
        'rpn_head.rpn_cls.', 'rpn_head.rpn_reg.', f'{_HEAD}.shared_fcs.0.',
        f'{_HEAD}.fc_cls.', f'{_HEAD}.fc_reg.', 'roi_head.shared_head.layer4.',
        'neck.lateral_convs.#.conv.', 'neck.fpn_convs.#.conv.', 'backbone.conv1.',
        'backbone.bn1.', 'backbone.layer#.')),
)
TORCHVISION = (
    ('backbone.body.', 'backbone.'),
    ('backbone.fpn.inner_blocks.#.0.', 'neck.lateral_convs.#.conv.'),
    ('backbone.fpn.layer_blocks.#.0.', 'neck.fpn_convs.#.conv.'),
    ('rpn.head.conv.0.0.', 'rpn_head.rpn_conv.0.'),
    ('rpn.head.cls_logits.', 'rpn_head.rpn_cls.'),
    ('rpn.head.bbox_pred.', 'rpn_head.rpn_reg.'),
    ('roi_heads.box_head.fc6.', f'{_HEAD}.shared_fcs.0.'),
    ('roi_heads.box_head.fc7.', f'{_HEAD}.shared_fcs.2.'),
    ('roi_heads.box_predictor.cls_score.', f'{_HEAD}.fc_cls.'),
    ('roi_heads.box_predictor.bbox_pred.', f'{_HEAD}.fc_reg.'),
)


def _detectron2_stage(stage: int, theirs: str, ours: str) -> Rules:
    theirs, ours = f'{theirs}res{stage}.#.', f'{ours}layer{stage - 1}.#.'
    return (
        (f'{theirs}conv#.norm.', f'{ours}bn#.'),
        (f'{theirs}conv#.weight', f'{ours}conv#.weight'),
        (f'{theirs}shortcut.norm.', f'{ours}downsample.1.'),
        (f'{theirs}shortcut.weight', f'{ours}downsample.0.weight'),
    )


def _detectron2(body: str, stages: Sequence[int]) -> Rules:
    return (
        (f'{body}stem.conv1.norm.', 'backbone.bn1.'),
        (f'{body}stem.conv1.weight', 'backbone.conv1.weight'),
        *(rule for stage in stages
          for rule in _detectron2_stage(stage, body, 'backbone.')),
        ('proposal_generator.rpn_head.conv.', 'rpn_head.rpn_conv.0.'),
        ('proposal_generator.rpn_head.objectness_logits.', 'rpn_head.rpn_cls.'),
        ('proposal_generator.rpn_head.anchor_deltas.', 'rpn_head.rpn_reg.'),
        ('roi_heads.box_predictor.cls_score.', f'{_HEAD}.fc_cls.'),
        ('roi_heads.box_predictor.bbox_pred.', f'{_HEAD}.fc_reg.'),
    )


# the names that chainercv gave and others took over
_CHAINERCV = (
    ('rpn.conv1.', 'rpn_head.rpn_conv.0.'),
    ('rpn.score.', 'rpn_head.rpn_cls.'),
    ('rpn.loc.', 'rpn_head.rpn_reg.'),
    ('head.score.', f'{_HEAD}.fc_cls.'),
    ('head.cls_loc.', f'{_HEAD}.fc_reg.'),
)
_VGG16 = (
    *_CHAINERCV,
    ('extractor.', 'backbone.features.'),
    ('head.classifier.0.', 'roi_head.shared_head.classifier.0.'),
    # without dropout, which the order of the layers counts
    ('head.classifier.2.', 'roi_head.shared_head.classifier.3.'),
    ('head.classifier.3.', 'roi_head.shared_head.classifier.3.'),
)
_VGG16_MARKS = ('extractor.28.weight', 'head.classifier.0.weight', 'head.cls_loc.bias')
_DETECTRON2_UNUSED = r'anchor_generator\.cell_anchors|^pixel_(mean|std)$'

PEERS = (
    Peer('mmdet R50-C4', 'mmdet_r50_c4',
         ('rpn_head.rpn_conv.weight', 'roi_head.shared_head.layer4.0.conv1.weight'),
         MMDET, (layouts.swap_objectness,)),
    Peer('mmdet R50-FPN', 'mmdet_r50_fpn',
         ('rpn_head.rpn_conv.weight', 'neck.lateral_convs.0.conv.weight'),
         MMDET, (layouts.swap_objectness,)),
    Peer('torchvision R50-FPN', 'torchvision_r50_fpn',
         ('backbone.body.conv1.weight', 'rpn.head.conv.0.0.weight',
          'roi_heads.box_predictor.cls_score.weight'),
         TORCHVISION, (layouts.background_last,)),
    Peer('detectron2 R50-C4', 'detectron2_r50_c4',
         ('backbone.stem.conv1.weight', 'roi_heads.res5.0.conv1.weight'),
         (*_detectron2('backbone.', (2, 3, 4)),
          *_detectron2_stage(5, 'roi_heads.', 'roi_head.shared_head.')),
         (layouts.ratios_slowest,), _DETECTRON2_UNUSED),
    Peer('detectron2 R50-FPN', 'detectron2_r50_fpn',
         ('backbone.bottom_up.stem.conv1.weight', 'backbone.fpn_lateral2.weight',
          'roi_heads.box_head.fc1.weight'),
         (*_detectron2('backbone.bottom_up.', (2, 3, 4, 5)),
          *((f'backbone.fpn_{theirs}{level}.',
             f'neck.{ours}_convs.{level - 2}.conv.') for level in range(2, 6)
            for theirs, ours in (('lateral', 'lateral'), ('output', 'fpn'))),
          ('roi_heads.box_head.fc1.', f'{_HEAD}.shared_fcs.0.'),
          ('roi_heads.box_head.fc2.', f'{_HEAD}.shared_fcs.2.')),
         (layouts.ratios_slowest,), _DETECTRON2_UNUSED),
    Peer('simple-faster-rcnn-pytorch VGG16', 'simple_vgg16', _VGG16_MARKS, _VGG16,
         (layouts.background_last, layouts.swap_x_and_y)),
    Peer('bubbliiiing faster-rcnn-pytorch VGG16', 'bubbliiiing_vgg16', _VGG16_MARKS,
         _VGG16, (layouts.background_last,)),
    Peer('bubbliiiing faster-rcnn-pytorch R50', 'bubbliiiing_r50',
         ('extractor.6.0.conv1.weight', 'head.classifier.0.0.conv1.weight',
          'head.cls_loc.bias'),
         (*_CHAINERCV,
          ('extractor.0.', 'backbone.conv1.'),
          ('extractor.1.', 'backbone.bn1.'),
          *((f'extractor.{layer + 3}.', f'backbone.layer{layer}.')
            for layer in (1, 2, 3)),
          ('head.classifier.0.', 'roi_head.shared_head.layer4.')),
         (layouts.background_last,)),
)
OURS = ('rpn_head.rpn_conv.0.weight', 'roi_head.bbox_head.fc_cls.weight')


def with_current_names(state: StateDict) -> StateDict:
    """The state dict of torchvision's older files with its names of today.

    Its published weights are of that kind; torchvision renames them when it loads them.
    """
    if 'backbone.body.conv1.weight' not in state:
        return state
    names = (re.sub(r'^rpn\.head\.conv\.(?=weight|bias)', 'rpn.head.conv.0.0.', name)
             for name in state)
    names = (re.sub(r'^(backbone\.fpn\.(inner|layer)_blocks\.\d+)\.(?=weight|bias)',
                    r'\1.0.', name) for name in names)
    return dict(zip(names, state.values(), strict=True))


def recognise(state: StateDict) -> list[Peer]:
    """The code bases whose marks a state dict bears; more than one if they agree."""
    return [peer for peer in PEERS if all(mark in state for mark in peer.marks)]


def is_ours(state: StateDict) -> bool:
    """Whether a state dict has our names."""
    return all(mark in state for mark in OURS)
