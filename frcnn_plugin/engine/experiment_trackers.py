"""mmengine's backends for MLflow and Weights & Biases, with our names and folders.

The config, which is passed on to others, does not say where the curves go; the tools'
own environment variables do.
"""

import os
import re
from pathlib import Path

from mmengine.visualization import MLflowVisBackend, WandbVisBackend

from ..registry import VISBACKENDS

PROJECT = 'frcnn_plugin'
FORBIDDEN = re.compile(r'[^\w/. -]')  # by MLflow, in the name of a metric


@VISBACKENDS.register_module()
class MLflowBackend(MLflowVisBackend):
    """Logs to ``mlflow.db`` beside the work dir, or to ``MLFLOW_TRACKING_URI``.

    A run is named after its work dir.
    """

    chosen: str | None = None  # our own URI, which MLflow exports to the environment

    def _init_env(self) -> None:
        work_dir = work_dir_of(self._save_dir)
        self._tracking_uri = os.environ.get('MLFLOW_TRACKING_URI')
        if self._tracking_uri == MLflowBackend.chosen:
            self._tracking_uri = None
        self._exp_name = os.environ.get('MLFLOW_EXPERIMENT_NAME') or PROJECT
        self._run_name = work_dir.name
        if not self._tracking_uri:
            self._tracking_uri = f'sqlite:///{work_dir.parent}/mlflow.db'
            MLflowBackend.chosen = self._tracking_uri
            self._artifact_location = str(work_dir.parent / 'mlruns')
        super()._init_env()

    def add_scalar(self, name: str, value: object, step: int = 0, **kwargs) -> None:
        """Log a value under a name that MLflow accepts."""
        super().add_scalar(FORBIDDEN.sub('_', name), value, step, **kwargs)

    def add_scalars(self, scalar_dict: dict, step: int = 0,
                    file_path: str | None = None, **kwargs) -> None:
        """Log the values that are numbers, under names that MLflow accepts."""
        super().add_scalars({
            FORBIDDEN.sub('_', name): float(value)
            for name, value in scalar_dict.items()
            if hasattr(value, '__float__')}, step, file_path, **kwargs)


@VISBACKENDS.register_module()
class WandbBackend(WandbVisBackend):
    """Runs in a project ``frcnn_plugin``, or that of ``WANDB_PROJECT``."""

    def _init_env(self) -> None:
        self._init_kwargs = dict(
            dir=self._save_dir, name=work_dir_of(self._save_dir).name,
            project=os.environ.get('WANDB_PROJECT') or PROJECT,
            **self._init_kwargs or {})
        super()._init_env()


def work_dir_of(save_dir: str) -> Path:
    """The work dir in which mmengine has made ``<time>/vis_data`` for a backend."""
    return Path(save_dir).absolute().parents[1]
