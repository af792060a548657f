"""What would make a GPU wait for its host? Counted on the CPU, operator by operator."""

from collections import Counter

import torch
from torch.utils._python_dispatch import TorchDispatchMode

# each of these needs a value, or a size that depends on values, on the host
WAITS = {'aten::_local_scalar_dense', 'aten::item', 'aten::nonzero',
         'aten::masked_select', 'aten::unique', 'aten::_unique2', 'aten::equal',
         'aten::is_nonzero', 'tolist'}
KERNELS = {'torchvision::nms', 'frcnn_plugin::masked_nms',
           'frcnn_plugin::greedy_nms'}  # which would wait inside


class Audit(TorchDispatchMode):
    """Counts operators by name, and masks used as an index as ``boolean index``."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: Counter[str] = Counter()

    def __enter__(self):
        plain = torch.Tensor.tolist  # which is no operator on the CPU

        def tolist(tensor):
            self.counts['tolist'] += 1
            return plain(tensor)
        torch.Tensor.tolist = tolist
        return super().__enter__()

    def __exit__(self, *error):
        del torch.Tensor.tolist  # the base class has it
        return super().__exit__(*error)

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        name = func.name().split('.')[0]
        self.counts[name] += 1
        if name in ('aten::index', 'aten::index_put', 'aten::index_put_'):
            self.counts['boolean index'] += sum(
                each.dtype == torch.bool for each in args[1] if each is not None)
        return func(*args, **(kwargs or {}))

    def waits(self) -> Counter[str]:
        """Those after which the host would wait, but for the kernels of suppression."""
        return Counter({name: count for name, count in self.counts.items() if count
                        and (name in WAITS or name == 'boolean index')})
