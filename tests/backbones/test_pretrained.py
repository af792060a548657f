import pytest
import torch
import torchvision

from frcnn_plugin.backbones import ResNetC4
from frcnn_plugin.backbones.pretrained import (
    WeightsUnreachableError,
    read_weights,
    torchvision_weights,
)
from frcnn_plugin.errors import UserError
from frcnn_plugin.roi import ResNetC5Head


@pytest.fixture(scope='module')
def weights(tmp_path_factory):
    """A ResNet-18 with random weights, saved as torchvision saves its own."""
    model = torchvision.models.resnet18(weights=None)
    path = tmp_path_factory.mktemp('weights') / 'resnet18.pth'
    torch.save(model.state_dict(), path)
    return path, model.state_dict()


def pretrained(source) -> dict:
    return dict(type='Pretrained', checkpoint=str(source))


def test_a_path_fills_both_halves(weights):
    path, state = weights
    c4 = ResNetC4(18, init_cfg=pretrained(path))
    c5 = ResNetC5Head(18, init_cfg=pretrained(path))
    for part in (c4, c5):
        part.init_weights()
        for name, value in part.state_dict().items():
            assert torch.equal(value, state[name]), name


def test_torchvision_names_are_found_in_torchvisions_cache(
        weights, tmp_path, monkeypatch):
    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    cache = tmp_path / 'hub' / 'checkpoints'
    cache.mkdir(parents=True)
    url = torchvision.models.ResNet18_Weights.IMAGENET1K_V1.url
    (cache / url.split('/')[-1]).write_bytes(weights[0].read_bytes())
    model = ResNetC4(18, init_cfg=pretrained('torchvision://resnet18'))
    model.init_weights()
    assert torch.equal(model.conv1.weight, weights[1]['conv1.weight'])


def test_weights_that_can_not_be_downloaded_name_the_switch(tmp_path, monkeypatch):
    from urllib.error import URLError

    def no_network(*args, **kwargs):
        raise URLError('no network')

    monkeypatch.setenv('TORCH_HOME', str(tmp_path))
    monkeypatch.setattr('torch.hub.urlopen', no_network)
    with pytest.raises(WeightsUnreachableError, match=r'resnet50.*cannot be down'):
        read_weights('torchvision://resnet50')


@pytest.mark.parametrize('source, says', [
    ('/nowhere/a.pth', 'no such file'), ('torchvision://resnet51', 'has none of that')])
def test_wrong_sources_are_named(source, says):
    with pytest.raises(UserError, match=says):
        read_weights(source)


def test_weights_of_another_network_are_refused(weights):
    with pytest.raises(UserError, match=r'do not fit ResNetC4.*expected'):
        ResNetC4(50, init_cfg=pretrained(weights[0])).init_weights()


def test_a_file_that_is_no_checkpoint(tmp_path):
    path = tmp_path / 'a.pth'
    path.write_text('hello')
    says = r'pretrained weights .*not a checkpoint'
    with pytest.raises(UserError, match=says):
        read_weights(str(path))


@pytest.mark.parametrize('prefix', ['backbone', 'backbone.'])
def test_a_part_of_a_detectors_weights(weights, tmp_path, prefix):
    torch.save(dict(state_dict={f'backbone.{name}': value for name, value
                                in weights[1].items()}), tmp_path / 'a.pth')
    part = ResNetC4(18, init_cfg=dict(pretrained(tmp_path / 'a.pth'), prefix=prefix))
    part.init_weights()
    assert torch.equal(part.conv1.weight, weights[1]['conv1.weight'])


def test_a_version_of_torchvisions_weights():
    kinds = torchvision.models.ResNet50_Weights
    assert torchvision_weights('torchvision://resnet50') is kinds.IMAGENET1K_V1
    assert torchvision_weights('torchvision://resnet50.IMAGENET1K_V2') is (
        kinds.IMAGENET1K_V2)
