"""Curves in MLflow and in Weights & Biases, by mmengine's backends."""

import pytest

from frcnn_plugin.commands.train import train

VALIDATE = ['train_cfg.val_interval=1', 'default_hooks.logger.interval=1']


def test_mlflow(small, tmp_path, monkeypatch):
    mlflow = pytest.importorskip('mlflow')
    monkeypatch.delenv('MLFLOW_TRACKING_URI', raising=False)
    train([*small('--max-iters', '2', '--mlflow'), *VALIDATE])
    client = mlflow.MlflowClient(f'sqlite:///{tmp_path}/mlflow.db')
    experiment = client.get_experiment_by_name('frcnn_plugin')
    run, = client.search_runs([experiment.experiment_id])
    assert run.info.run_name == 'run' and run.info.status == 'FINISHED'
    for name in ('loss_rpn_cls', 'pascal_voc/mAP'):
        history = client.get_metric_history(run.info.run_id, name)
        assert [point.step for point in history] == [1, 2]


def test_weights_and_biases(small, tmp_path, monkeypatch):
    wandb = pytest.importorskip('wandb')
    monkeypatch.setenv('WANDB_MODE', 'offline')
    monkeypatch.setenv('WANDB_SILENT', 'true')
    train([*small('--max-iters', '2', '--wandb'), *VALIDATE])
    wandb.finish()
    file, = tmp_path.glob('run/*/vis_data/wandb/offline-run-*/run-*.wandb')
    written = file.read_bytes()
    assert written.count(b'loss_rpn_cls') >= 2 and b'pascal_voc/mAP' in written
