import pytest
import torch
import torchvision

from frcnn_plugin.backbones import ResNetC4
from frcnn_plugin.roi import ResNetC5Head


@pytest.mark.parametrize('depth, channels', [(18, 256), (34, 256), (50, 1024)])
def test_map_of_stride_16_rounded_up(depth, channels):
    model = ResNetC4(depth).eval()
    (feature,) = model(torch.rand(1, 3, 65, 95))
    assert feature.shape == (1, channels, 5, 6)
    assert model.out_channels == channels


def test_equals_torchvisions_resnet_with_its_own_weights():
    peer = torchvision.models.resnet50(weights=None).eval()
    c4, c5 = ResNetC4(50).eval(), ResNetC5Head(50).eval()
    for part in (c4, c5):
        names = part.state_dict().keys()
        part.load_state_dict({name: peer.state_dict()[name] for name in names})
    images = torch.rand(1, 3, 64, 64)
    expected = {}
    peer.layer3.register_forward_hook(lambda m, i, out: expected.update(c4=out))
    peer.layer4.register_forward_hook(lambda m, i, out: expected.update(c5=out))
    peer(images)
    (feature,) = c4(images)
    torch.testing.assert_close(feature, expected['c4'])
    torch.testing.assert_close(c5(feature), expected['c5'])


def test_c5_head_takes_14_to_7():
    assert ResNetC5Head(50).eval()(torch.rand(2, 1024, 14, 14)).shape == (2, 2048, 7, 7)


def test_caffe_style_has_its_stride_on_the_first_1x1():
    from mmdet.registry import MODELS
    ours = ResNetC4(50, style='caffe').eval()
    peer = MODELS.build(dict(
        type='mmdet.ResNet', depth=50, num_stages=3, strides=(1, 2, 2),
        dilations=(1, 1, 1), out_indices=(2,), style='caffe'))
    peer.eval()  # returns nothing, unlike torch's
    peer.load_state_dict(ours.state_dict())
    images = torch.rand(1, 3, 64, 96)
    torch.testing.assert_close(ours(images)[0], peer(images)[0])


def test_frozen_stages_and_statistics():
    model = ResNetC4(18, frozen_stages=1, norm_eval=True).train()
    trained = {name.split('.')[0] for name, p in model.named_parameters()
               if p.requires_grad}
    assert trained == {'layer2', 'layer3'}
    assert not model.layer3[0].bn1.training
    assert ResNetC4(18, norm_eval=False).train().layer3[0].bn1.training


def test_norms_without_gradient():
    model = ResNetC4(18, norm_requires_grad=False)
    assert not model.layer3[0].bn1.weight.requires_grad
    assert model.layer3[0].conv1.weight.requires_grad
    head = ResNetC5Head(18, norm_requires_grad=False)
    assert not head.layer4[0].bn1.weight.requires_grad
    assert head.layer4[0].conv1.weight.requires_grad


@pytest.mark.parametrize('wrong', [
    dict(depth=20), dict(style='jax'), dict(frozen_stages=4)])
def test_wrong_settings_are_named(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ResNetC4(**wrong)
