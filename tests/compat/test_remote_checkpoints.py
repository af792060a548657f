"""Checkpoints behind a URL are read as local ones are: mmengine's log, and no code."""

import os
import pickle
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from mmengine.logging import HistoryBuffer
from mmengine.runner.checkpoint import CheckpointLoader
from torch.serialization import get_safe_globals

from frcnn_plugin.backbones.pretrained import read_weights


@pytest.fixture
def url(tmp_path, monkeypatch):
    """Serves ``tmp_path``; what is downloaded goes into a folder of its own."""
    monkeypatch.setattr(torch.hub, '_hub_dir', str(tmp_path / 'hub'))
    monkeypatch.setattr(SimpleHTTPRequestHandler, 'log_message', lambda *_: None)
    server = ThreadingHTTPServer(
        ('127.0.0.1', 0), partial(SimpleHTTPRequestHandler, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f'http://127.0.0.1:{server.server_port}'
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize('load', [CheckpointLoader.load_checkpoint, read_weights])
def test_a_checkpoint_with_mmengines_log(tmp_path, url, load):
    buffer = HistoryBuffer()
    buffer.update(2.5)
    torch.save(dict(state_dict=dict(w=torch.ones(1)), log=buffer), tmp_path / 'a.pth')
    content = load(f'{url}/a.pth')
    assert content.get('state_dict', content)['w'] == 1
    assert HistoryBuffer not in get_safe_globals()


def test_code_in_it_is_not_run(tmp_path, url):

    class Harmful:
        def __reduce__(self):
            return os.mkdir, (str(tmp_path / 'made'),)

    torch.save(dict(state_dict=dict(w=Harmful())), tmp_path / 'a.pth')
    with pytest.raises(pickle.UnpicklingError):
        CheckpointLoader.load_checkpoint(f'{url}/a.pth')
    assert not (tmp_path / 'made').exists()
