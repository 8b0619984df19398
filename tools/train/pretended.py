"""A device that is not there, for tests: it computes on the CPU, but refuses what a GPU refuses.

Its tensors say that they are on `DEVICE`. What mixes one with a tensor that was left on the CPU raises
Misplaced; so does reading its memory without bringing it back. It knows nothing of a GPU's speed, of its
own kernels, nor of autocast.
"""

import torch
from torch.utils._python_dispatch import TorchDispatchMode, return_and_correct_aliasing
from torch.utils._pytree import tree_iter, tree_map_only

DEVICE = torch.device("meta")
aten = torch.ops.aten
# A GPU takes these from the CPU, too: copies, the places to index, lengths of texts.
MAY_MIX = {aten.copy_.default, aten._to_copy.default, aten.index.Tensor, aten.index_put_.default,
           aten.index_put.default, aten._index_put_impl_.default, aten._ctc_loss.Tensor, aten._ctc_loss_backward.Tensor}


class Misplaced(RuntimeError):
    pass


class Far(torch.Tensor):
    """A tensor on DEVICE; `near` holds its values."""

    @staticmethod
    def __new__(cls, near):
        return torch.Tensor._make_wrapper_subclass(
            cls, near.size(), strides=near.stride(), storage_offset=near.storage_offset(),
            dtype=near.dtype, layout=near.layout, device=DEVICE)

    def __init__(self, near):
        self.near = near

    def __repr__(self):
        return f"Far({self.near!r})"

    def tolist(self):
        return self.near.tolist()

    @classmethod
    def __torch_dispatch__(cls, func, types, args=(), kwargs=None):
        return run_anywhere(func, args, kwargs or {})


def run(func, args, kwargs):
    """One operation, where its tensors are."""
    tensors = [one for one in tree_iter((args, kwargs)) if isinstance(one, torch.Tensor)]
    far = [one for one in tensors if isinstance(one, Far)]
    target = kwargs.get("device")
    if not far and (target is None or torch.device(target) != DEVICE):
        return func(*args, **kwargs)
    if any(one.device == DEVICE for one in tensors if not isinstance(one, Far)):
        raise Misplaced(f"{func}: a tensor without values: torch made it where this module does not look")
    left = [one for one in tensors if not isinstance(one, Far) and one.dim() > 0]
    if far and left and func not in MAY_MIX:
        raise Misplaced(f"{func}: a tensor of {tuple(left[0].shape)} was left on the CPU")
    near_args, near_kwargs = tree_map_only(Far, lambda one: one.near, (args, kwargs))
    if target is not None:
        near_kwargs = {**near_kwargs, "device": "cpu"}
    made = func(*near_args, **near_kwargs)
    if target is not None and torch.device(target) != DEVICE:
        return made.clone()  # brought back
    if func is aten.copy_.default and not isinstance(args[0], Far):
        return args[0]
    made = tree_map_only(torch.Tensor, Far, made)
    return return_and_correct_aliasing(func, args, kwargs, made) if far else made


def run_anywhere(func, args, kwargs):
    """Inference mode knows no tensors of one's own making, so it is left for the while."""
    if not torch.is_inference_mode_enabled():
        return run(func, args, kwargs)
    with torch.inference_mode(False), torch._C._AutoDispatchBelowAutograd():
        return run(func, args, kwargs)


class Pretence(TorchDispatchMode):
    """Within it, DEVICE can be had."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return run_anywhere(func, args, kwargs or {})
