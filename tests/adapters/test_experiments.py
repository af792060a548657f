"""Curves in MLflow and in Weights & Biases, by mmengine's backends."""

from types import SimpleNamespace

import pytest
import torch

from frcnn_plugin.commands.test import test as run_test
from frcnn_plugin.commands.train import train
from frcnn_plugin.registry import VISBACKENDS

VALIDATE = ['train_cfg.val_interval=1', 'default_hooks.logger.interval=1']


def test_mlflow(small, tmp_path):
    mlflow = pytest.importorskip('mlflow')
    train([*small('--max-iters', '2', '--mlflow'), *VALIDATE])
    client = mlflow.MlflowClient(f'sqlite:///{tmp_path}/mlflow.db')
    experiment = client.get_experiment_by_name('frcnn_plugin')
    run, = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == 'run' and run.info.status == 'FINISHED'
    assert (tmp_path / 'mlruns').is_dir()
    for name in ('loss_rpn_cls', 'pascal_voc/mAP'):
        history = client.get_metric_history(run.info.run_id, name)
        assert [point.step for point in history] == [1, 2]


def test_names_and_places_without_mlflow(tmp_path, monkeypatch):
    logged = {}
    tool = SimpleNamespace(log_metrics=lambda values, step: logged.update(values))
    monkeypatch.setattr('mmengine.visualization.MLflowVisBackend._init_env',
                        lambda self: vars(self).update(_mlflow=tool))
    for name in ('MLFLOW_TRACKING_URI', 'MLFLOW_EXPERIMENT_NAME'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(VISBACKENDS.get('MLflowBackend'), 'chosen', None)
    backend = VISBACKENDS.build(dict(
        type='MLflowBackend', save_dir=str(tmp_path / 'run/now/vis_data')))
    backend.add_scalars({'recall50@300': torch.tensor(0.5), 'text': 'x'}, 3)
    assert logged == {'recall50_300': 0.5}
    assert (backend._run_name, backend._exp_name) == ('run', 'frcnn_plugin')
    assert backend._tracking_uri == f'sqlite:///{tmp_path}/mlflow.db'


def test_names_that_mlflow_does_not_take(tmp_path):
    mlflow = pytest.importorskip('mlflow')
    backend = VISBACKENDS.build(dict(
        type='MLflowBackend', save_dir=str(tmp_path / 'run/now/vis_data')))
    backend.add_scalars({'recall50@300': torch.tensor(0.5), "AP/b'c (d)": 0.25,
                         'text': 'x'}, 3)
    backend.add_scalar('a@b', 1.0, 3)
    run = mlflow.active_run().info.run_id
    assert mlflow.get_run(run).data.metrics == {
        'recall50_300': 0.5, 'AP/b_c _d_': 0.25, 'a_b': 1.0}
    mlflow.end_run()


def test_a_test_begins_no_run(small, tmp_path):
    mlflow = pytest.importorskip('mlflow')
    train([*small('--max-iters', '1', '--mlflow')])
    run_test([str(tmp_path / 'run/frcnn_r18_c4_shapes.py'),
              str(tmp_path / 'run/iter_1.pth')])
    client = mlflow.MlflowClient(f'sqlite:///{tmp_path}/mlflow.db')
    experiment = client.get_experiment_by_name('frcnn_plugin')
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_weights_and_biases(small, tmp_path, monkeypatch):
    wandb = pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    train([*small('--max-iters', '2', '--wandb'), *VALIDATE])
    wandb.finish()
    file, = tmp_path.glob('run/*/vis_data/wandb/offline-run-*/run-*.wandb')
    written = file.read_bytes()
    assert written.count(b'loss_rpn_cls') >= 2 and b'pascal_voc/mAP' in written
