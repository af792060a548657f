"""Mistakes in a config become one line that names the component."""

import subprocess
import sys

import pytest

from frcnn_plugin.errors import ConfigError
from frcnn_plugin.registry import DATASETS, MODELS, explain_config


@pytest.mark.parametrize(('registry', 'cfg', 'says'), [
    (MODELS, dict(type='ResNetC6'), "'ResNetC6' is not registered, did you mean 'ResN"),
    (MODELS, dict(type='mmdet.ResNet6'), "'mmdet.ResNet6' is not registered, did you"),
    (MODELS, dict(type='nowhere.at.all'), "'nowhere.at.all' is not registered; a mod"),
    (DATASETS, dict(type='VOCFoldr'), "did you mean 'VOCFolder'"),
    (MODELS, dict(type='ResNetC4', deepth=18), "ResNetC4: .*argument 'deepth'"),
    (MODELS, dict(type='FPN', channels=3), "FPN: .*argument 'channels'"),
    (MODELS, dict(type='ResNetC5Head', depth=18, deepth=1), "ResNetC5Head: .*'deepth'"),
    (MODELS, dict(type='RoIHead'), 'RoIHead: .*missing'),
    (MODELS, dict(type='FasterRCNN', backbone=dict(type='ResNetC4', deepth=1)),
     "ResNetC4: .*'deepth'")])
def test_a_mistake(registry, cfg, says):
    with pytest.raises(ConfigError, match=says) as caught, explain_config():
        registry.build(cfg)
    assert '\n' not in str(caught.value)


@pytest.mark.parametrize('error', [
    KeyError('bboxes'), RuntimeError('shapes do not fit'), TypeError('a + b'),
    TypeError("Thing.__init__() got an unexpected keyword argument 'a'"),
    TypeError("ResNetC4.forward() got an unexpected keyword argument 'a'")])
def test_errors_of_the_components_stay_what_they_are(error):
    with pytest.raises(type(error)) as caught, explain_config():
        raise error
    assert caught.value is error


@pytest.mark.long
def test_what_is_asked_first_gets_everything():
    """In a process of its own: components are imported at the first look."""
    code = """
from frcnn_plugin.registry import HOOKS, MODELS
assert len(HOOKS) > 3 and 'PicturesHook' in repr(HOOKS)

@MODELS.register_module(force=True)
class RPNHead:
    pass

assert MODELS.get('RPNHead') is RPNHead and MODELS.get('FasterRCNN')
import frcnn_plugin
assert frcnn_plugin.roi and frcnn_plugin.visualization.PicturesHook
"""
    subprocess.run([sys.executable, '-c', code], check=True)
