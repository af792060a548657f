import pytest

from frcnn_plugin.config.files import find_config, load_config
from frcnn_plugin.errors import UserError


def test_configs_by_name(repo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    whole = repo / 'configs/frcnn_r50_c4_voc.py'
    for name in ('frcnn_r50_c4_voc', 'frcnn_r50_c4_voc.py', str(whole)):
        assert find_config(name).resolve() == whole
    for name in ('frcnn_r50', '../configs/frcnn_r50_c4_voc', '/frcnn_r50_c4_voc'):
        with pytest.raises(UserError, match='no such config file'):
            find_config(name)


def test_options_without_a_place(repo):
    with pytest.raises(UserError, match='do not fit'):
        load_config(str(repo / 'configs/frcnn_r50_c4_voc.py'),
                              {'model.backbone.depth.x': 1})


def test_a_part_of_a_config_is_no_config(repo):
    with pytest.raises(UserError, match=r'has no model.*a part for other'):
        load_config(str(repo / 'configs/_base_/default_runtime.py'))
