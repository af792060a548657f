"""The GPU's path without a GPU: tensors that have a device, a type and a shape only.

torch checks the devices of every operator on them as on a real one, so that a tensor
left on the CPU and a copy to the host show.
"""

import traceback
from collections import Counter
from itertools import chain

import pytest
import torch
from helpers import make_samples, tiny_detector
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx.experimental.symbolic_shapes import ShapeEnv
from torch.utils._python_dispatch import TorchDispatchMode

from frcnn_plugin.registry import MODELS

# where small tensors may go to the device: counts and sizes where the data enters, the
# base anchors once in a generator's life, and the four numbers of mmdet's box coder
TO_DEVICE = ('mmdet_bridge/lists.py', 'rpn/anchor_generator.py',
             'coders/delta_xywh_bbox_coder.py')

pytestmark = [
    pytest.mark.skipif(not torch.backends.cuda.is_built(),
                       reason='this torch knows no CUDA'),
    pytest.mark.skipif(torch.__version__ < (2, 11),
                       reason='its fake tensors ask a real device')]


class Copies(TorchDispatchMode):
    """Copies between devices, with the file that asked for them."""

    def __init__(self):
        super().__init__()
        self.seen = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        source = args[0] if args else None
        both = isinstance(out, torch.Tensor) and isinstance(source, torch.Tensor)
        if both and out.device.type != source.device.type:
            frames = [f.filename for f in traceback.extract_stack()
                      if '/torch/' not in f.filename and f.filename != __file__]
            self.seen[source.device.type, out.device.type, frames[-1]] += 1
        return out


def move_to_fake_cuda(model: nn.Module) -> nn.Module:
    for module in model.modules():
        for name, value in chain(list(module._parameters.items()),
                                 list(module._buffers.items())):
            if value is None:
                continue
            fake = torch.empty(value.shape, dtype=value.dtype, device='cuda')
            if name in module._parameters:
                fake = nn.Parameter(fake, requires_grad=value.requires_grad)
                module._parameters[name] = fake
            else:
                module._buffers[name] = fake
    return model


@pytest.mark.filterwarnings('ignore')
@pytest.mark.parametrize('kind', ['RoIPool', 'RoIAlign'])
def test_everything_stays_on_the_device(kind):
    cfg = tiny_detector()
    cfg.roi_head.bbox_roi_extractor.roi_layer.type = kind
    model = MODELS.build(cfg).train()
    with FakeTensorMode(shape_env=ShapeEnv(), allow_non_fake_inputs=True):
        move_to_fake_cuda(model)
        images = torch.randn(2, 3, 128, 160, device='cuda')
        samples = [sample.to('cuda') for sample in make_samples((4, 7))]
        with Copies() as copies:
            losses = model(images, samples, 'loss')
            model.eval()
            with torch.no_grad():
                sizes = torch.full((2, 2), 128.0, device='cuda')
                feats = model(images, mode='extractor')
                proposals = model((feats, sizes), mode='rpn')[-1]
                found = model.roi_head.detect(feats, proposals, sizes)
    for value in [*losses.values(), *found[:2]]:
        assert value.device.type == 'cuda' and value.dtype == torch.float32
    for (source, target, filename), _ in copies.seen.items():
        assert (source, target) == ('cpu', 'cuda'), filename
        assert filename.endswith(TO_DEVICE), filename
