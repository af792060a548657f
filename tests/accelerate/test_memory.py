"""Memory of the targets where an image has very many boxes."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
# ru_maxrss begins with that of the process which started this one
PROGRAM = '''
import re
from pathlib import Path
import torch
import frcnn_plugin
from samples import random_boxes
from mmdet.models.task_modules import DeltaXYWHBBoxCoder
from frcnn_plugin.accelerate.matching import compare_in_blocks
from frcnn_plugin.rpn import AnchorGenerator, AnchorTargetSampler
from frcnn_plugin.structures import GroundTruth

torch.set_num_threads(1)
anchors, = AnchorGenerator([16], [0.5, 1.0, 2.0], [2, 4, 8, 16, 32]).grid_priors(
    [(38, 50)])
sampler, sizes = AnchorTargetSampler(), torch.tensor([[608.0, 800.0]])
sampler.compare = compare_in_blocks
for boxes in (1, 500, 2000):
    gt = GroundTruth(random_boxes(boxes, 800, 608)[None], torch.zeros(1, boxes).long(),
                     torch.ones(1, boxes, dtype=torch.bool))
    labels, _ = sampler(anchors, gt, sizes, DeltaXYWHBBoxCoder())
    assert (labels == 1).any()
    status = Path('/proc/self/status').read_text()
    print(int(re.search(r'VmHWM:\\s*(\\d+)', status)[1]) / 2**20)
'''


@pytest.mark.long
@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_it_grows_with_the_boxes_and_no_faster():
    """28500 anchors beside 2000 boxes: one tensor of all pairs is 0.2 GiB."""
    shown = subprocess.run([sys.executable, '-c', PROGRAM], cwd=TOOLS, text=True,
                           capture_output=True, check=True).stdout
    one, *peaks = [float(line) for line in shown.split()]  # GiB of the whole process
    assert peaks[-1] < 2
    few, many = (peak - one for peak in peaks)
    assert many < max(4 * few, 0.3)
