"""Checkpoints and files of proposals that are not as they should be."""

import pickle
import time
from pathlib import Path

import numpy as np
import openvino
import torch
from bad_input.kinds import CLASSES, Site, kind

from frcnn_plugin.datasets.proposals import write_proposals
from frcnn_plugin.io.weights_only import load_weights_only

REFUSED = 'refused, .*(could run code|holds more than data)'


def wrapped(code) -> dict:
    """Code where a run keeps what it knows."""
    return dict(state_dict={}, meta=dict(iter=1), optimizer=code, message_hub={})


@kind('a checkpoint that is not there', 'test', 'no such file')
def missing(site: Site):
    return site.test(site.folder / 'a.pth')


@kind('an empty file', 'test', 'damaged or not a checkpoint')
def empty(site: Site):
    return site.test(site.write('a.pth', b''))


@kind('a text', 'test', 'refused|damaged')
def text(site: Site):
    return site.test(site.write('a.pth', b'hello, world'))


@kind('a checkpoint that ends in the middle', 'test', 'damaged or not a checkpoint')
def half(site: Site):
    return site.test(site.write('a.pth', site.trained().read_bytes()[:5000]))


@kind('a checkpoint of another model', 'test', 'does not match')
def other_model(site: Site):
    return site.test(site.write('a.pth', dict(state_dict={'a': torch.ones(2)})))


@kind('a checkpoint of the wrong number of classes', 'test',
      'wrong number of classes')
def other_classes(site: Site):
    arguments = site.test(site.trained())
    arguments.insert(arguments.index('dog'), 'bird')
    return arguments


@kind('weights that are NaN', 'test', 'is not finite')
def not_finite(site: Site):
    content = load_weights_only(site.trained())
    name = next(name for name in content['state_dict'] if 'fc_cls.weight' in name)
    content['state_dict'][name][0, 0] = float('nan')
    return site.test(site.write('a.pth', content))


@kind('weights without their classes, to start from', 'train',
      'does not say which classes it knows')
def no_classes(site: Site):
    content = load_weights_only(site.trained())
    path = site.write('a.pth', dict(state_dict=content['state_dict']))
    return site.train(before=('--from', str(path)))


@kind('a detector with another backbone, to start from', 'train',
      'of another backbone, 1 tensors do not fit')
def other_backbone(site: Site):
    content = load_weights_only(site.trained())
    del content['state_dict']['backbone.conv1.weight']
    return site.train(before=('--from', str(site.write('a.pth', content))))


@kind('weights alone, to resume from', 'train', 'holds weights only')
def weights_only(site: Site):
    content = load_weights_only(site.trained())
    path = site.write('a.pth', dict(state_dict=content['state_dict']))
    return site.train(before=('--resume', str(path)))


@kind('a work dir whose newest checkpoint is damaged', 'train',
      'iter_2.pth: .*skipped', 0)
def newest_damaged(site: Site):
    site.write('work/iter_1.pth', site.trained().read_bytes())
    time.sleep(0.01)
    site.write('work/iter_2.pth', site.trained().read_bytes()[:5000])
    return site.train(before=('--resume',), iters=2)


@kind('a work dir whose checkpoints are all damaged', 'train', 'cannot resume from any')
def all_damaged(site: Site):
    site.write('work/iter_1.pth', b'no checkpoint')
    return site.train(before=('--resume',))


@kind('code in a checkpoint to test', 'test', REFUSED)
def code_in_test(site: Site):
    return site.test(site.code('a.pth', wrapped))


@kind('code in a checkpoint to resume from', 'train', REFUSED)
def code_in_resume(site: Site):
    return site.train(before=('--resume', str(site.code('a.pth', wrapped))))


@kind('code in the newest checkpoint of the work dir', 'train', REFUSED)
def code_in_work_dir(site: Site):
    site.code('work/iter_1.pth', wrapped)
    return site.train(before=('--resume',))


@kind('code in a checkpoint to start from (`load_from`)', 'train', REFUSED)
def code_in_load_from(site: Site):
    return site.train(f'load_from={site.code("a.pth", wrapped)}')


@kind('code in the config of a checkpoint to resume from', 'train',
      'a config that would be run')
def code_in_config(site: Site):
    content = load_weights_only(site.trained())
    content['meta']['config'] = f'import os\nos.mkdir({str(site.created)!r})'
    return site.train(before=('--resume', str(site.write('a.pth', content))), iters=2)


@kind('code in a checkpoint to detect with', 'detect', REFUSED)
def code_in_detect(site: Site):
    return [str(site.image()), str(site.code('a.pth', wrapped)), '--device', 'cpu']


@kind('code in a checkpoint to look into', 'inspect-stages', REFUSED)
def code_in_inspect(site: Site):
    return [str(site.image()), str(site.code('a.pth', wrapped)), '-o',
            str(site.folder / 'stages')]


@kind('code in a checkpoint to export', 'export', REFUSED)
def code_in_export(site: Site):
    return [str(site.code('a.pth', wrapped)), '--to', 'onnx']


@kind('code in the config that a checkpoint carries', 'detect',
      'refused, the config in it is more than plain values')
def code_in_carried_config(site: Site):
    content = load_weights_only(site.trained())
    content['meta']['cfg'] += f'\nimport os\nos.mkdir({str(site.created)!r})\n'
    return [str(site.image()), str(site.write('a.pth', content)), '--device', 'cpu']


@kind('a component in it that runs what it is given', 'detect',
      'not an allowed component')
def harmful_component(site: Site):
    content = load_weights_only(site.trained())
    content['meta']['cfg'] += (
        f"\nmodel = dict(type='os.makedirs', name={str(site.created)!r})\n")
    return [str(site.image()), str(site.write('a.pth', content)), '--device', 'cpu']


@kind('code in pretrained weights', 'train', REFUSED)
def code_in_pretrained(site: Site):
    path = site.code('a.pth', wrapped)
    return site.train(before=('--pretrained', str(path)), config='frcnn_r50_c4_bccd')


@kind('code in a checkpoint of another code base, .pth', 'convert', REFUSED)
def code_in_convert(site: Site):
    return [str(site.code('a.pth', wrapped)), '-o', str(site.folder / 'b.pth')]


@kind('code in a checkpoint of another code base, .pkl', 'convert', REFUSED)
def code_in_detectron2s(site: Site):
    path = site.write('a.pkl', pickle.dumps(dict(model=site.creates())))
    return [str(path), '-o', str(site.folder / 'b.pth')]


@kind('code in a file of proposals', 'train', REFUSED)
def code_in_proposals(site: Site):
    return fast_rcnn(site, pickle.dumps({'JPEGImages/a.jpg': site.creates()}))


@kind('code in the parts of a search', 'make-proposals', 'could run code')
def code_in_parts(site: Site):
    from frcnn_plugin.commands.make_proposals import make_proposals
    out = site.folder / 'p.npz'
    arguments = ['--data-root', str(site.root), '--split', 'train', '--workers', '1',
                 '--out', str(out)]
    picture = site.image('d').read_bytes()
    site.image('d').write_bytes(b'no picture')
    try:  # stops at the last picture, and leaves the parts of the others
        make_proposals(arguments)
    except Exception:
        site.image('d').write_bytes(picture)
    part = next((site.folder / 'p.npz.parts').glob('*.npz'))
    part.write_bytes(pickle.dumps(site.creates()))
    return arguments


@kind('a file of proposals that lacks an image', 'train', 'has no proposals for')
def proposals_lack(site: Site):
    return fast_rcnn(site, pickle.dumps({}))


@kind('a pickle of proposals that ends in the middle', 'train', 'damaged')
def half_pickle(site: Site):
    return fast_rcnn(site, pickle.dumps({'JPEGImages/a.jpg': 'a' * 99})[:50])


@kind('a file of proposals that ends in the middle', 'train', 'damaged.*make-proposals')
def half_proposals(site: Site):
    path = site.folder / 'whole.npz'
    write_proposals(path, {'JPEGImages/a.jpg': dict(bboxes=[[1, 2, 3, 4]], scores=[1])})
    return fast_rcnn(site, path.read_bytes()[:500], 'p.npz')


def fast_rcnn(site: Site, proposals: bytes, name: str = 'p.pkl') -> list[str]:
    """Arguments for Fast R-CNN on a file of proposals."""
    path = site.write(name, proposals)
    return [str(site.configs / 'fast_rcnn_r50_c4_voc.py'), '--max-iters', '1',
            '--from-scratch', '--data-root', str(site.root), '--classes', *CLASSES,
            '--work-dir', str(site.work), '--cfg-options',
            f'train_dataloader.dataset.proposal_file={path}',
            'train_dataloader.dataset.split=train']


@kind('a checkpoint of an unknown Faster R-CNN', 'convert', 'not a known')
def unknown(site: Site):
    path = site.write('a.pth', dict(state_dict={'a': torch.ones(2)}))
    return [str(path), '-o', str(site.folder / 'b.pth')]


def exported(site: Site, name: str = 'a.xml') -> Path:
    """A file of OpenVINO with what an export of ours tells about itself."""
    numbers = openvino.opset13.parameter([1, 3, -1, -1], np.float32, 'image')
    model = openvino.Model([openvino.opset13.relu(numbers)], [numbers], 'detector')
    openvino.save_model(model, site.folder / name)
    return site.folder / name


@kind('an exported file that is not there', 'detect', r'a\.xml: no such file')
def no_file(site: Site):
    return [str(site.image()), str(site.folder / 'a.xml')]


@kind('an exported .xml without its .bin', 'detect', r'weights, a\.bin, are not beside')
def no_weights(site: Site):
    exported(site).with_suffix('.bin').unlink()
    return [str(site.image()), str(site.folder / 'a.xml')]


@kind('an .xml of another program', 'detect', r'a\.xml: not a detector that frcnn_')
def of_another_program(site: Site):
    return [str(site.image()), str(exported(site))]


@kind('a text as .onnx', 'detect', r'a\.onnx: not a file that OpenVINO can read')
def text_as_onnx(site: Site):
    return [str(site.image()), str(site.write('a.onnx', b'hello, world'))]


@kind('an empty folder to adjust int8 to', 'export', '--calibrate: .*no Annot')
def empty_calibration(site: Site):
    (site.folder / 'empty').mkdir()
    return [str(site.trained()), '--to', 'openvino', '--int8', '--calibrate',
            str(site.folder / 'empty')]


@kind('--amp in detect, on a CPU without bfloat16', 'detect', 'Leave out --amp')
def no_bfloat16(site: Site):
    return [str(site.image()), str(site.trained()), '--amp', '--device', 'cpu']


@kind('--amp in test, on a CPU without bfloat16', 'test', 'Leave out --amp')
def no_bfloat16_to_test(site: Site):
    return [*site.test(site.trained()), '--amp']
