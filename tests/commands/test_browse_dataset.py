"""What the network is fed, drawn."""

import cv2
import numpy as np
import pytest
from helpers import make_samples

from frcnn_plugin.commands.browse_dataset import browse_dataset
from frcnn_plugin.errors import UserError
from frcnn_plugin.visualization.draw import Drawer


@pytest.mark.parametrize('loader', ['train', 'test'])
def test_pictures_with_boxes(small, tmp_path, loader, shapes_root, capsys):
    out = tmp_path / 'out'
    browse_dataset([*small()[:1], '-o', str(out), '--number', '3', '--loader', loader,
                    '--data-root', str(shapes_root)])
    drawn = sorted(out.glob('*.jpg'))
    assert len(drawn) == 3 and all(loader in path.name for path in drawn)
    picture = cv2.imread(str(drawn[0]))
    assert min(picture.shape[:2]) >= 400
    assert f'3 of {dict(train=24, test=6)[loader]} pictures' in capsys.readouterr().out


def test_a_box_is_drawn():
    sample, = make_samples((1,))
    drawn = Drawer(('a',) * 4).annotated(np.zeros((128, 160, 3), np.uint8), sample)
    assert drawn.any()


def test_no_pictures(small):
    with pytest.raises(UserError, match='at least 1'):
        browse_dataset([small()[0], '--number', '0'])
