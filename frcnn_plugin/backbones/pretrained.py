"""Pretrained weights for a part of the network: from torchvision, a URL or a file.

Every file is read weights-only: it cannot run code.
"""

import pickle
from urllib.error import URLError

import torch
import torchvision
from mmengine.logging import print_log
from mmengine.model import BaseModule
from mmengine.runner.checkpoint import get_deprecated_model_names, get_external_models

from ..errors import CheckpointError, WeightsError, WeightsUnreachableError
from ..io.checkpoints import StateDict, read_checkpoint, state_dict_of
from ..io.weights_only import mmengine_types_allowed

TORCHVISION = 'torchvision://'
OPEN_MMLAB = 'open-mmlab://'


def read_weights(source: str) -> StateDict:
    """The tensors that a source names.

    Args:
        source: ``torchvision://NAME``, optionally ``torchvision://NAME.WEIGHTS`` such
            as ``torchvision://resnet50.IMAGENET1K_V2``; ``open-mmlab://NAME``, as
            mmengine lists them; an http(s) URL; or a path.

    Raises:
        WeightsError: If it cannot be obtained or is not a checkpoint.
    """
    try:
        if source.startswith(TORCHVISION):
            content = torchvision_weights(source).get_state_dict(
                progress=True, check_hash=True, weights_only=True)
        elif source.startswith((OPEN_MMLAB, 'http://', 'https://')):
            with mmengine_types_allowed():
                content = torch.hub.load_state_dict_from_url(
                    address_of(source), map_location='cpu', weights_only=True)
        else:
            return read_checkpoint(source)['state_dict']
    except (URLError, TimeoutError, ConnectionError) as error:
        raise WeightsUnreachableError(
            f'pretrained weights {source} cannot be downloaded ({error})') from error
    except CheckpointError as error:
        raise WeightsError(f'pretrained weights {error}') from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, OSError) as error:
        raise WeightsError(f'pretrained weights {source} are damaged or not a '
                           f'checkpoint ({type(error).__name__})') from error
    return state_dict_of(content, source)


def address_of(source: str) -> str:
    """The URL that ``open-mmlab://NAME`` stands for; a URL stands for itself.

    Raises:
        WeightsError: If mmengine lists none of that name.
    """
    if not source.startswith(OPEN_MMLAB):
        return source
    name = source.removeprefix(OPEN_MMLAB)
    try:
        return get_external_models()[get_deprecated_model_names().get(name, name)]
    except KeyError as error:
        raise WeightsError(f'pretrained weights {source}: mmengine lists none of that '
                           'name') from error


def torchvision_weights(source: str) -> torchvision.models.WeightsEnum:
    """The entry of torchvision's catalogue that ``torchvision://...`` names.

    Raises:
        WeightsError: If there is none of that name.
    """
    name, _, version = source.removeprefix(TORCHVISION).partition('.')
    try:
        catalogue = torchvision.models.get_model_weights(name)
        return catalogue[version or 'IMAGENET1K_V1']
    except (ValueError, KeyError) as error:
        raise WeightsError(f'pretrained weights {source}: torchvision has none of that '
                           'name; an example is torchvision://resnet50') from error


class InitFromWeights(BaseModule):
    """An mmengine module with a ``Pretrained`` initialisation that is checked.

    mmengine's own loads what fits and logs the rest, so that a file of another network
    goes unnoticed. Here each tensor of the module must be in the file with its shape;
    anything else in the file (``fc``, the other half of the ResNet) is skipped.
    """

    def init_weights(self) -> None:
        """Initialise as ``init_cfg`` says.

        Raises:
            WeightsError: If the weights cannot be obtained or do not fit.
        """
        cfg = self.init_cfg
        if not isinstance(cfg, dict) or cfg.get('type') != 'Pretrained':
            super().init_weights()
            return
        source = cfg['checkpoint']
        prefix = f'{cfg["prefix"].removesuffix(".")}.' if cfg.get('prefix') else ''
        state = {name.removeprefix(prefix): value for name, value
                 in read_weights(source).items() if name.startswith(prefix)}
        wanted = self.state_dict()
        # torchvision's older files lack this counter, and nothing here reads it
        needed = [name for name in wanted if not name.endswith('num_batches_tracked')]
        missing = [name for name in needed if name not in state]
        wrong = [name for name in needed
                 if name in state and state[name].shape != wanted[name].shape]
        if missing or wrong:
            name = (wrong or missing)[0]
            found = f'has shape {tuple(state[name].shape)}' if wrong else 'is missing'
            raise WeightsError(
                f'pretrained weights {source} do not fit {type(self).__name__}: '
                f'{len(missing)} tensors are missing and {len(wrong)} have the wrong '
                f'shape; {name} {found}, expected {tuple(wanted[name].shape)}')
        self.load_state_dict({name: state[name] for name in wanted if name in state},
                             strict=False)
        print_log(f'{type(self).__name__}: {len(needed)} tensors from {source}',
                  logger='current')
        self._is_init = True
