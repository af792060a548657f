"""The processes of a distributed job."""

import gc
import os
import subprocess

import torch

from ..errors import UserError

RANKS = ('RANK', 'SLURM_PROCID', 'OMPI_COMM_WORLD_RANK')
LAUNCHERS = {
    'pytorch': ('RANK', 'torchrun --nproc_per_node=N -m frcnn_plugin train CONFIG '
                '--launcher pytorch'),
    'slurm': ('SLURM_PROCID', 'srun frcnn train CONFIG --launcher slurm'),
    'mpi': ('OMPI_COMM_WORLD_LOCAL_RANK', 'mpirun frcnn train CONFIG --launcher mpi'),
}


def print_on_master(message: str) -> None:
    """Print in the first process of a job, which need not have joined its group."""
    if all(os.environ.get(name, '0') == '0' for name in RANKS):
        print(message, flush=True)


def join_group(launcher: str) -> None:
    """Join the other processes of a distributed job."""
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
    """Tell torch what Slurm says of this process, as mmengine does where GPUs are."""
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
