import pytest
import torch

from frcnn_plugin.commands.out_of_space import explain_out_of_memory
from frcnn_plugin.config.files import load_config
from frcnn_plugin.errors import UserError


@pytest.fixture
def cfg(repo):
    return load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'))


def test_it_says_what_to_lower(cfg, monkeypatch):
    where = 'frcnn_plugin.commands.out_of_space.has_mixed_precision'
    monkeypatch.setattr(where, lambda device: True)
    with (pytest.raises(UserError) as caught,  # the CPU's allocator
          explain_out_of_memory(cfg, 'train_dataloader')):
        torch.empty(2**62, dtype=torch.uint8)
    assert str(caught.value) == (
        'out of memory; lower one of train_dataloader.batch_size (now 2), '
        'model.roi_head.target_sampler.num (now 128), the scale of Resize in the '
        'pipeline (now (1000, 600)), or use --amp')
    with (pytest.raises(UserError, match=r'test_dataloader\.batch_size \(now 1\)'),
          explain_out_of_memory(cfg, 'test_dataloader')):
        raise torch.OutOfMemoryError('CUDA out of memory')
    for kind, has_it, amp in (('BF16OptimWrapper', True, False),
                              ('OptimWrapper', False, False),
                              ('OptimWrapper', True, True)):
        cfg.optim_wrapper.type = kind
        monkeypatch.setattr(where, lambda device, has_it=has_it: has_it)
        with (pytest.raises(UserError, match=r'\(1000, 600\)\)$'),
              explain_out_of_memory(cfg, 'train_dataloader', amp)):
            raise torch.OutOfMemoryError('CUDA out of memory')


def test_other_errors_stay_what_they_are(cfg):
    with (pytest.raises(RuntimeError, match='shapes'),
          explain_out_of_memory(cfg, 'train_dataloader')):
        raise RuntimeError('shapes do not fit')
