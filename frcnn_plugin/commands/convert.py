"""``frcnn convert``: checkpoints of other code bases into ours, and back."""

import argparse
import re
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from ..errors import UserError
from ..inference.carried_config import classes_of
from ..interop.configure import build, name_classes, peer_config
from ..interop.layouts import as_if_eps
from ..interop.peers import Peer, is_ours, recognise, with_current_names
from ..interop.to_peers import to_mmdet, to_torchvision
from ..io.checkpoints import StateDict, check_fit, read_checkpoint
from ..io.data_pickle import read_data_pickle
from ..io.whole_files import whole_or_absent, write_whole
from .parser import parse


def convert(argv: list[str] | None = None) -> None:
    """Run ``frcnn convert``.

    Writes nothing if the code base of the checkpoint is not known, or if a tensor has
    no place.
    """
    args = parse('convert', argv)
    if args.out.suffix != '.pth':
        raise UserError(f'-o {args.out}: the new checkpoint is a .pth file')
    outputs = [args.out, args.out.with_suffix('.py')]
    for path in outputs if args.to == 'ours' else outputs[:1]:
        if path.exists() and not args.overwrite:
            raise UserError(f'{path}: exists already; --overwrite replaces it')
    content = read_source(args.checkpoint)
    meta = content.get('meta') or {}
    content['state_dict'] = with_current_names(content['state_dict'])
    state, peer = content['state_dict'], None
    if not is_ours(state):
        peer = find_peer(args, content)
        left_out = [name for name in state if peer.is_unused(name)]
        print(f'{args.checkpoint}: {peer.name}, {len(state)} tensors'
              + (f'; left out, no weights: {", ".join(left_out)}' if left_out else ''))
        state = _of(args.checkpoint, peer.to_ours, state)
    elif args.to == 'ours':
        raise UserError(f'{args.checkpoint}: has our names already; --to mmdet or --to '
                        'torchvision converts it')
    text = str(meta.get('cfg') or meta.get('config'))  # as mmdet 2 calls it
    style = args.style or (
        'caffe' if re.search(r"style\s*=\s*['\"]caffe", text) else None)
    known = classes_of(meta)
    write = _write_ours if args.to == 'ours' else _write_theirs
    write(args, as_if_eps(state, args.norm_eps), peer, style, known)


def read_source(path: Path) -> dict:
    """The content of a checkpoint, or of a pickle of arrays as in detectron2's zoo."""
    if path.suffix not in ('.pkl', '.pickle'):
        return read_checkpoint(path)
    content = read_data_pickle(path.expanduser())
    state = content.get('model') if isinstance(content, dict) else None
    if not isinstance(state, dict):
        raise UserError(f"{path}: holds no arrays by name under 'model', as a pickle "
                        'of detectron2 does')
    return dict(state_dict={
        name: torch.from_numpy(np.array(value)) for name, value in state.items()
        if isinstance(value, np.ndarray)})


def find_peer(args: argparse.Namespace, content: dict) -> Peer:
    """The one code base that a checkpoint is from."""
    state = content['state_dict']
    found = recognise(state)
    if args.source:
        found = [peer for peer in found if peer.config == args.source]
    if len(found) > 1 and {'config', 'other_info', 'vis_info'} & content.keys():
        found = [peer for peer in found if peer.config == 'simple_vgg16']
    if not found:
        raise UserError(
            f'{args.checkpoint}: not a known Faster R-CNN'
            + (f' as {args.source}' if args.source else '')
            + f'; its {len(state)} tensors begin with {", ".join(list(state)[:4])}')
    if len(found) > 1:
        names = ' and of '.join(peer.name for peer in found)
        raise UserError(f'{args.checkpoint}: has the names of {names}; say which with '
                        '--source ' + ' or '.join(peer.config for peer in found))
    return found[0]


def _of(path: Path, function, state: StateDict) -> StateDict:
    """Run a conversion; what it refuses is about this file."""
    try:
        return function(state)
    except UserError as error:
        raise UserError(f'{path}: {error}') from error


def _write_ours(args: argparse.Namespace, state: StateDict, peer: Peer,
                style: str | None, known: list[str] | None) -> None:
    """Write a checkpoint of ours, and its config."""
    classes = name_classes(len(state['roi_head.bbox_head.fc_cls.bias']) - 1, known,
                           args.classes, str(args.checkpoint))
    cfg = peer_config(peer, state, classes, style, args.data, args.config)
    try:
        check_fit(build(cfg), state, str(args.checkpoint))
    except UserError as error:
        raise error if args.config else UserError(
            f'{error}; the config is that of {peer.name}, another one can be given '
            'with --config') from error
    cfg.load_from = str(args.out)  # what training starts from
    _save(args.out, state, dict(state_dict=state, meta=dict(
        dataset_meta=dict(classes=tuple(classes)), cfg=cfg.pretty_text)))
    config_file = args.out.with_suffix('.py')
    write_whole(config_file, cfg.pretty_text.encode())
    print(f'{config_file}: the config with the numbers of {args.config or peer.name}, '
          f'{len(classes)} classes')
    print(f'to test it: frcnn test {config_file} {args.out} --data-root DIR')


def _write_theirs(args: argparse.Namespace, state: StateDict, peer: Peer | None,
                  style: str | None, known: list[str] | None) -> None:
    """Write a checkpoint of mmdet, or a state dict of torchvision."""
    if args.to == 'mmdet':
        state = _of(args.checkpoint, to_mmdet, state)
        classes = args.classes or known
        content = dict(state_dict=state, meta=dict(
            dataset_meta=dict(classes=tuple(classes)) if classes else {}))
    else:
        if style == 'caffe' or (style is None and peer and 'detectron2' in peer.name):
            raise UserError(f'{args.checkpoint}: has the strides of Caffe, which '
                            "torchvision's ResNet does not have")
        content = state = _of(args.checkpoint, to_torchvision, state)
    _save(args.out, state, content)
    print(f'{args.out}: for {args.to}; its anchors and other numbers must be those '
          'that the weights were trained with, see docs/interop.md')


def _save(path: Path, state: StateDict, content: dict) -> None:
    """Write a checkpoint, and print what was mapped, by part."""
    with whole_or_absent(path) as file:
        torch.save(content, file)
    parts = Counter(name.partition('.')[0] for name in state)
    print('mapped: ' + ', '.join(f'{part} {num}' for part, num in parts.items()))
