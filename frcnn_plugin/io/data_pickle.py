"""Reads pickles of data that other programs wrote; no code in them is ever run.

A pickle names the functions that rebuild its objects, and may name any function of any
module. Here it gets none of them: the few names that arrays and mmengine's data
elements need lead to stand-ins, which accept plain numbers only.
"""

import math
import pickle
from pathlib import Path
from typing import IO

import numpy as np

from ..errors import UserError

NUMBERS = frozenset(np.dtype(code).str[1:] for code in (
    *'?efd', *np.typecodes['AllInteger']))  # bool, float16 to float64, all integers


def read_data_pickle(path: Path) -> object:
    """The content of a file that ``pickle.dump`` or ``mmengine.dump`` wrote.

    Returns:
        object: Dicts, lists, tuples, sets, strings, numbers, arrays of numbers.
        mmengine's ``InstanceData`` and ``BaseDataElement`` come back as dicts of their
        data fields.

    Raises:
        UserError: If the file is missing, damaged, not a pickle, or contains code.
    """
    try:
        with path.open('rb') as file:
            return _Unpickler(file).load()
    except FileNotFoundError as error:
        raise UserError(f'{path}: no such file') from error
    except _Refused as error:
        raise UserError(f'{path}: refused, it holds more than plain data and could run '
                        f'code ({error})') from error
    except Exception as error:  # what is damaged may raise anything
        reason = ' '.join(str(error).split()) or type(error).__name__
        raise UserError(f'{path}: damaged or not a pickle ({reason})') from error


class _Refused(pickle.UnpicklingError):
    """The pickle asks for something that it must not get."""


class _Unpickler(pickle.Unpickler):
    """Resolves names to the stand-ins and to nothing else."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file)
        # all new for each file, for a pickle can set attributes of what it gets
        element = type('Element', (_Element,), {})
        self._known = {
            'builtins.set': set,
            'builtins.bytes': lambda: b'',
            '_codecs.encode': lambda text, codec: _latin1_bytes(text, codec),
            'numpy.ndarray': 'numpy.ndarray',
            'numpy.dtype': type('DType', (_DType,), {}),
            'numpy._core.multiarray._reconstruct':
                lambda *_: np.ndarray.__new__(_Array, (0,), 'b'),
            'numpy._core.multiarray.scalar':
                lambda dtype, data: _array(data, dtype).reshape(())[()],
            'numpy._core.numeric._frombuffer':
                lambda data, dtype, shape, order:
                    _array(data, dtype).reshape(shape, order=order),
            'mmengine.structures.instance_data.InstanceData': element,
            'mmengine.structures.base_data_element.BaseDataElement': element}

    def find_class(self, module: str, name: str) -> object:
        """What a name in the pickle stands for."""
        asked = f'{module}.{name}'
        known = asked.replace('__builtin__.', 'builtins.').replace(  # protocols up to 2
            'numpy.core.', 'numpy._core.')  # NumPy 1
        if known not in self._known:
            raise _Refused(f'it asks for {asked!r}')
        return self._known[known]


class _Element(dict):
    """Stands in for mmengine's data elements."""

    def __setstate__(self, state: dict) -> None:
        self.update({name: state[name] for name in state['_data_fields']})


class _DType:
    """Stands in for ``numpy.dtype``, which would trust any state in the pickle."""

    def __init__(self, code: str, *_: object) -> None:
        if code not in NUMBERS:
            raise _Refused(f'an array of {code!r}, which are not numbers')
        self.real = np.dtype(code)

    def __setstate__(self, state: tuple) -> None:
        if state[1] in ('<', '>'):  # the byte order
            self.real = self.real.newbyteorder(state[1])


class _Array(np.ndarray):
    """An array whose content comes from the pickle, checked."""

    def __setstate__(self, state: tuple) -> None:
        _, shape, dtype, fortran, data = state
        dtype = _real_dtype(dtype)
        if not isinstance(data, bytes):
            raise _Refused('an array of objects')
        if min(shape, default=0) < 0 or math.prod(shape) * dtype.itemsize != len(data):
            raise ValueError(f'an array of {shape} from {len(data)} bytes')
        super().__setstate__(  # numpy takes no bool of its own there
            (1, shape, dtype, bool(fortran), data))  # type: ignore[arg-type]


def _array(data: bytes, dtype: _DType) -> np.ndarray:
    return np.frombuffer(bytearray(data), _real_dtype(dtype))


def _real_dtype(dtype: _DType) -> np.dtype:
    if not isinstance(dtype, _DType):
        raise _Refused('an array of no known type')
    return dtype.real


def _latin1_bytes(text: str, codec: str) -> bytes:
    """Stands in for ``_codecs.encode``, with which old protocols store bytes."""
    if not isinstance(text, str) or codec != 'latin1':
        raise _Refused(f'it encodes with {codec!r}')
    return text.encode('latin1')
