import pytest
import torch
import torchvision

from frcnn_plugin.backbones import VGG16
from frcnn_plugin.roi import VGG16FCHead


@pytest.fixture(scope='module')
def peer():
    return torchvision.models.vgg16(weights=None).eval()


def test_stride_16_rounded_up():
    """600 x 800 pixels and their 17100 anchors: tests/systems."""
    (feature,) = VGG16()(torch.rand(1, 3, 104, 160))
    assert feature.shape == (1, 512, 7, 10)


def test_equals_torchvisions_vgg16_with_its_own_weights(peer, tmp_path):
    torch.save(peer.state_dict(), tmp_path / 'vgg16.pth')
    pretrained = dict(type='Pretrained', checkpoint=str(tmp_path / 'vgg16.pth'))
    backbone, head = VGG16(init_cfg=pretrained), VGG16FCHead(init_cfg=pretrained).eval()
    backbone.init_weights()
    head.init_weights()
    images = torch.rand(1, 3, 224, 224)
    (feature,) = backbone(images)
    pooled = torch.nn.functional.max_pool2d(feature, 2)
    torch.testing.assert_close(pooled, peer.features(images))
    expected = peer.classifier[:6](pooled.flatten(1))
    torch.testing.assert_close(head(pooled).flatten(1), expected)


def test_all_3x3_convolutions_are_padded_and_four_poolings_are_kept():
    layers = list(VGG16().features)
    convs = [layer for layer in layers if isinstance(layer, torch.nn.Conv2d)]
    pools = [layer for layer in layers if isinstance(layer, torch.nn.MaxPool2d)]
    assert len(convs) == 13 and len(pools) == 4
    assert {(conv.kernel_size, conv.padding) for conv in convs} == {((3, 3), (1, 1))}


def test_frozen_stages_are_those_of_the_paper():
    model = VGG16(frozen_stages=2)
    fixed = [p.requires_grad for p in model.parameters() if p.dim() == 4]
    assert fixed == [False] * 4 + [True] * 9
    with pytest.raises(ValueError, match='not -1 to 5'):
        VGG16(frozen_stages=6)


def test_random_weights_keep_the_scale_of_the_activations():
    model = VGG16()
    model.init_weights()
    (feature,) = model(torch.randn(1, 3, 64, 64))
    assert 0.05 < feature.std() < 20


@pytest.mark.parametrize('rate', [0.0, 0.5])
def test_dropout_is_that_of_the_settings(rate):
    with torch.device('meta'):
        layers = VGG16FCHead(8, 1, dropout=rate).classifier
    assert [layer.p for layer in layers if isinstance(layer, torch.nn.Dropout)] == [
        rate] * 2
