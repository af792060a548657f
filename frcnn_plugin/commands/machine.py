"""What depends on the machine: processes, devices, deterministic kernels."""

import gc
import os
import subprocess

import torch
from mmengine.config import Config

from ..config.parts import nested_dicts
from ..errors import UserError

LAUNCHERS = {
    'pytorch': ('RANK', 'torchrun --nproc_per_node=N -m frcnn_plugin train CONFIG '
                '--launcher pytorch'),
    'slurm': ('SLURM_PROCID', 'srun frcnn train CONFIG --launcher slurm'),
    'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun frcnn train CONFIG --launcher mpi'),
}


def check_deterministic(cfg: Config) -> None:
    """Refuse what has no deterministic kernel.

    Raises:
        UserError: If the model uses RoIPool on a GPU.
    """
    kinds = [node.get('type') for node in nested_dicts(cfg.model)]
    if torch.cuda.is_available() and 'RoIPool' in kinds:
        raise UserError(
            '--deterministic: RoIPool has no deterministic backward pass on a GPU; use '
            'RoIAlign with --cfg-options '
            'model.roi_head.bbox_roi_extractor.roi_layer.type=RoIAlign')


def join_group(launcher: str) -> None:
    """Join the other processes of a distributed job.

    Raises:
        UserError: If this process was not started that way.
    """
    if launcher == 'none':
        return
    variable, start = LAUNCHERS[launcher]
    if variable not in os.environ:
        raise UserError(f'--launcher {launcher}: this process was not started by it '
                        f'({variable} is not set); start it with: {start}')
    if torch.cuda.is_available():  # then mmengine's runner joins
        return
    if launcher == 'mpi':
        raise UserError(f'--launcher {launcher} needs GPUs; on CPUs use: '
                        f'{LAUNCHERS["pytorch"][1]}')
    if launcher == 'slurm':
        name_processes_by_slurm()
    if not torch.distributed.is_initialized():
        torch.distributed.init_process_group('gloo')


def leave_group(launcher: str) -> None:
    """Leave the group of a distributed job, all processes together, at the end of it.

    Without it a run that went well may end with SIGABRT on CPUs: the threads of gloo
    let go of their last tensors while the interpreter goes down
    (github.com/pytorch/pytorch/pull/179291). NCCL asks for it too.

    The threads end with the group, which the runner's model holds: it has to be gone.
    The last reference has to be Python's, which waits for the threads without the
    interpreter's lock.
    """
    if launcher == 'none':
        return
    torch.distributed.barrier()
    group = torch.distributed.group.WORLD
    torch.distributed.destroy_process_group()
    gc.collect()
    del group


def name_processes_by_slurm() -> None:
    """Tell torch what Slurm says of this process, as mmengine does where GPUs are.

    Raises:
        UserError: If Slurm does not name the nodes.
    """
    said = subprocess.run(
        ['scontrol', 'show', 'hostname', os.environ['SLURM_NODELIST']],
        capture_output=True, text=True, check=False)
    if said.returncode or not said.stdout.split():
        raise UserError('--launcher slurm: scontrol does not name the nodes '
                        f'({said.stderr.strip()})')
    os.environ.setdefault('MASTER_PORT', '29500')
    os.environ.setdefault('MASTER_ADDR', said.stdout.split()[0])
    os.environ.update(RANK=os.environ['SLURM_PROCID'],
                      WORLD_SIZE=os.environ['SLURM_NTASKS'],
                      LOCAL_RANK=os.environ.get('SLURM_LOCALID', '0'))
