"""Goldens of the operations that move values without changing them. Run with PyTorch 1.13.1: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import bools, case, channels_last, ints, op, randn, write  # noqa: E402

T = lambda *shape: randn(*reversed(shape)).permute(*range(len(shape) - 1, -1, -1))  # memory runs the other way round

op("reshape", lambda x, shape: x.reshape(shape), [
    case("flat", {"x": randn(3, 4)}, shape=[12]),
    case("inferred", {"x": randn(3, 4)}, shape=[2, -1]),
    case("three_dims", {"x": randn(6, 4)}, shape=[2, 3, 4]),
    case("same", {"x": randn(3, 5)}, shape=[3, 5]),
    case("transposed", {"x": T(3, 4)}, shape=[2, 6]),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}, shape=[5, 3]),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, shape=[12]),
    case("channels_last", {"x": channels_last(2, 3, 4, 5)}, shape=[2, 60]),
    case("scalar_to_vector", {"x": randn()}, shape=[1]),
    case("to_scalar", {"x": randn(1, 1)}, shape=[]),
    case("empty", {"x": randn(0, 3)}, shape=[3, 0]),
    case("empty_inferred", {"x": randn(0, 3)}, shape=[-1, 3]),
    case("integers", {"x": ints(-9, 9)(2, 6)}, shape=[3, 4]),
    case("wrong_count", {"x": randn(3, 4)}, error="ShapeError", shape=[5, 2]),
    case("two_unknowns", {"x": randn(3, 4)}, error="ShapeError", shape=[-1, -1]),
])
op("permute", lambda x, dims: x.permute(dims), [
    case("matrix", {"x": randn(3, 5)}, dims=[1, 0]),
    case("rotate", {"x": randn(2, 3, 5)}, dims=[2, 0, 1]),
    case("negative", {"x": randn(2, 3, 5)}, dims=[-1, 0, -2]),
    case("to_channels_last", {"x": randn(2, 3, 4, 5)}, dims=[0, 2, 3, 1]),
    case("identity", {"x": randn(2, 3)}, dims=[0, 1]),
    case("back", {"x": T(3, 5)}, dims=[1, 0]),
    case("sliced", {"x": randn(3, 10).slice(1, 1, 10, 3)}, dims=[1, 0]),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, dims=[1, 0]),
    case("scalar", {"x": randn()}, dims=[]),
    case("empty", {"x": randn(0, 3)}, dims=[1, 0]),
    case("repeated", {"x": randn(3, 5)}, error="ShapeError", dims=[0, 0]),
    case("too_few", {"x": randn(3, 5)}, error="ShapeError", dims=[0]),
])
op("transpose", lambda x, dim0, dim1: x.transpose(dim0, dim1), [
    case("matrix", {"x": randn(3, 5)}, dim0=0, dim1=1),
    case("outer", {"x": randn(2, 3, 5)}, dim0=0, dim1=2),
    case("negative", {"x": randn(2, 3, 5)}, dim0=-1, dim1=-2),
    case("same", {"x": randn(3, 5)}, dim0=1, dim1=1),
    case("back", {"x": T(3, 5)}, dim0=0, dim1=1),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}, dim0=0, dim1=1),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, dim0=1, dim1=0),
    case("empty", {"x": randn(0, 3)}, dim0=0, dim1=1),
    case("scalar", {"x": randn()}, dim0=0, dim1=-1),
    case("out_of_range", {"x": randn(3, 5)}, error="ShapeError", dim0=0, dim1=2),
])
op("slice", lambda x, dim, start=None, end=None, step=1: x[(slice(None),) * (dim % x.dim()) + (slice(start, end, step),)]
   if -x.dim() <= dim < x.dim() else x.narrow(dim, 0, 1), [
    case("rows", {"x": randn(5, 3)}, dim=0, start=1, end=4),
    case("columns", {"x": randn(3, 7)}, dim=1, start=2, end=5),
    case("step", {"x": randn(3, 10)}, dim=1, start=1, end=10, step=3),
    case("from_the_end", {"x": randn(3, 7)}, dim=-1, start=-3, end=-1),
    case("open_start", {"x": randn(7)}, dim=0, end=3),
    case("open_end", {"x": randn(7)}, dim=0, start=3),
    case("past_the_end", {"x": randn(7)}, dim=0, start=5, end=100),
    case("nothing", {"x": randn(3, 7)}, dim=1, start=4, end=4),
    case("crossed", {"x": randn(7)}, dim=0, start=5, end=2),
    case("transposed", {"x": T(5, 7)}, dim=0, start=1, end=5, step=2),
    case("sliced_again", {"x": randn(20).slice(0, 1, 20, 2)}, dim=0, start=1, end=9, step=3),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, dim=1, start=1, end=3),
    case("empty", {"x": randn(0, 3)}, dim=1, start=1, end=3),
    case("scalar", {"x": randn()}, error="ShapeError", dim=0, start=0, end=1),
    case("dim_out_of_range", {"x": randn(3)}, error="ShapeError", dim=1, start=0, end=1),
    case("step_zero", {"x": randn(3)}, error="ArgumentError", dim=0, start=0, end=3, step=0),
])


def pad(x, pads, value=0.0):
    """`pads`: [before, after] of every dimension, first one first. PyTorch wants them flat, the last one first,
    and none for untouched leading dimensions (it refuses to pad an empty one even by 0)."""
    touched = next((d for d, pair in enumerate(pads) if any(pair)), len(pads))
    return F.pad(x, [n for pair in reversed(pads[touched:]) for n in pair], value=value)


op("pad", pad, [
    case("vector", {"x": randn(5)}, pads=[[2, 1]]),
    case("last_only", {"x": randn(3, 5)}, pads=[[0, 0], [1, 2]]),
    case("image", {"x": randn(2, 3, 4, 5)}, pads=[[0, 0], [0, 0], [0, 1], [1, 2]]),
    case("batch_too", {"x": randn(2, 3, 4)}, pads=[[2, 0], [1, 1], [0, 0]]),
    case("value", {"x": randn(3, 5)}, pads=[[1, 1], [1, 1]], value=-2.5),
    case("infinity", {"x": randn(3)}, pads=[[1, 1]], value=float("-inf")),
    case("nothing", {"x": randn(3, 5)}, pads=[[0, 0], [0, 0]]),
    case("transposed", {"x": T(3, 5)}, pads=[[0, 2], [1, 0]]),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}, pads=[[0, 0], [0, 3]]),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, pads=[[0, 0], [1, 1]]),
    case("channels_last", {"x": channels_last(2, 3, 4, 5)}, pads=[[0, 0], [0, 0], [2, 2], [1, 1]]),
    case("scalar", {"x": randn()}, pads=[]),
    case("empty", {"x": randn(0, 3)}, pads=[[0, 0], [1, 1]]),
    case("from_nothing", {"x": randn(3, 0)}, pads=[[0, 0], [2, 1]]),
    case("too_many", {"x": randn(3)}, error="ShapeError", pads=[[1, 1], [1, 1]]),
])
op("expand", lambda x, shape: x.expand(shape), [
    case("row", {"x": randn(1, 5)}, shape=[3, 5]),
    case("column", {"x": randn(3, 1)}, shape=[3, 5]),
    case("keep", {"x": randn(3, 1)}, shape=[-1, 4]),
    case("new_dims", {"x": randn(5)}, shape=[2, 3, 5]),
    case("both", {"x": randn(1, 3, 1)}, shape=[2, 3, 4]),
    case("scalar", {"x": randn()}, shape=[2, 3]),
    case("scalar_to_scalar", {"x": randn()}, shape=[]),
    case("transposed", {"x": T(1, 5)}, shape=[3, 5]),
    case("sliced", {"x": randn(3, 4).slice(1, 1, 2, 1)}, shape=[3, 4]),
    case("expanded_again", {"x": randn(1, 1, 3).expand(1, 2, 3)}, shape=[4, 2, 3]),
    case("to_nothing", {"x": randn(1, 3)}, shape=[0, 3]),
    case("empty", {"x": randn(0, 1)}, shape=[0, 3]),
    case("not_one", {"x": randn(3, 5)}, error="ShapeError", shape=[6, 5]),
    case("too_few", {"x": randn(3, 5)}, error="ShapeError", shape=[5]),
])
op("flip", lambda x, dims: x.flip(dims), [
    case("vector", {"x": randn(7)}, dims=[0]),
    case("columns", {"x": randn(3, 5)}, dims=[1]),
    case("both", {"x": randn(3, 5)}, dims=[0, 1]),
    case("negative", {"x": randn(2, 3, 5)}, dims=[-1, -2]),
    case("nothing", {"x": randn(3, 5)}, dims=[]),
    case("transposed", {"x": T(3, 5)}, dims=[1]),
    case("sliced", {"x": randn(3, 10).slice(1, 1, 10, 2)}, dims=[1]),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, dims=[0]),
    case("channels_last", {"x": channels_last(2, 3, 4, 5)}, dims=[3]),
    case("empty", {"x": randn(0, 3)}, dims=[0]),
    case("scalar", {"x": randn()}, dims=[]),
    case("repeated", {"x": randn(3)}, error="ArgumentError", dims=[0, 0]),
    case("out_of_range", {"x": randn(3)}, error="ShapeError", dims=[1]),
])
cat = lambda *tensors, dim=0: torch.cat(tensors, dim)
op("concat", cat, [
    case("rows", {"a": randn(2, 3), "b": randn(4, 3)}, dim=0),
    case("columns", {"a": randn(3, 2), "b": randn(3, 5)}, dim=1),
    case("three", {"a": randn(2, 1, 3), "b": randn(2, 2, 3), "c": randn(2, 3, 3)}, dim=1),
    case("negative_dim", {"a": randn(3, 2), "b": randn(3, 5)}, dim=-1),
    case("one", {"a": randn(3, 2)}, dim=0),
    case("mixed_layouts", {"a": T(3, 2), "b": randn(3, 4).slice(1, 0, 4, 2), "c": randn(1, 2).expand(2, 2)}, dim=0),
    case("channels_last", {"a": channels_last(2, 3, 2, 2), "b": channels_last(2, 1, 2, 2)}, dim=1),
    case("with_empty", {"a": randn(2, 3), "b": randn(0, 3)}, dim=0),
    case("all_empty", {"a": randn(0, 3), "b": randn(0, 3)}, dim=0),
    case("no_rows", {"a": randn(0, 3), "b": randn(0, 2)}, dim=1),
    case("integers", {"a": ints(-9, 9)(3), "b": ints(-9, 9)(2)}, dim=0),
    case("mismatch", {"a": randn(2, 3), "b": randn(2, 4)}, error="ShapeError", dim=0),
    case("ranks_differ", {"a": randn(2, 3), "b": randn(2, 3, 1)}, error="ShapeError", dim=0),
    case("scalars", {"a": randn(), "b": randn()}, error="ShapeError", dim=0),
])
op("stack", lambda *tensors, dim=0: torch.stack(tensors, dim), [
    case("front", {"a": randn(3, 5), "b": randn(3, 5)}, dim=0),
    case("middle", {"a": randn(3, 5), "b": randn(3, 5), "c": randn(3, 5)}, dim=1),
    case("last", {"a": randn(3, 5), "b": randn(3, 5)}, dim=2),
    case("negative_dim", {"a": randn(3, 5), "b": randn(3, 5)}, dim=-1),
    case("scalars", {"a": randn(), "b": randn()}, dim=0),
    case("one", {"a": randn(3)}, dim=0),
    case("mixed_layouts", {"a": T(3, 2), "b": randn(3, 4).slice(1, 0, 4, 2), "c": randn(1, 2).expand(3, 2)}, dim=1),
    case("empty", {"a": randn(0, 3), "b": randn(0, 3)}, dim=0),
    case("mismatch", {"a": randn(3), "b": randn(4)}, error="ShapeError", dim=0),
    case("out_of_range", {"a": randn(3), "b": randn(3)}, error="ShapeError", dim=2),
])
named = lambda parts: {str(i): part for i, part in enumerate(parts)}
op("split", lambda x, sizes, dim=0: named(torch.split(x, sizes, dim)), [
    case("even", {"x": randn(6, 2)}, sizes=2, dim=0),
    case("short_last", {"x": randn(7, 2)}, sizes=3, dim=0),
    case("sizes", {"x": randn(3, 6)}, sizes=[1, 2, 3], dim=1),
    case("negative_dim", {"x": randn(2, 3, 4)}, sizes=[3, 1], dim=-1),
    case("with_nothing", {"x": randn(4, 2)}, sizes=[0, 3, 1], dim=0),
    case("whole", {"x": randn(3, 2)}, sizes=5, dim=0),
    case("transposed", {"x": T(6, 2)}, sizes=4, dim=0),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}, sizes=[2, 3], dim=1),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, sizes=2, dim=1),
    case("empty", {"x": randn(0, 4)}, sizes=2, dim=1),
    case("sum_differs", {"x": randn(6)}, error="ShapeError", sizes=[2, 3], dim=0),
    case("scalar", {"x": randn()}, error="ShapeError", sizes=1, dim=0),
])
op("squeeze", lambda x, dim=None: x.squeeze() if dim is None else x.squeeze(dim), [
    case("all", {"x": randn(1, 3, 1, 5, 1)}),
    case("first", {"x": randn(1, 3, 1)}, dim=0),
    case("negative", {"x": randn(1, 3, 1)}, dim=-1),
    case("not_one_stays", {"x": randn(3, 5)}, dim=0),
    case("nothing_to_do", {"x": randn(3, 5)}),
    case("to_scalar", {"x": randn(1, 1)}),
    case("scalar", {"x": randn()}),
    case("transposed", {"x": T(3, 1, 5)}, dim=1),
    case("sliced", {"x": randn(3, 4).slice(1, 2, 3, 1)}, dim=1),
    case("expanded", {"x": randn(3, 1, 1).expand(3, 1, 4)}, dim=1),
    case("empty", {"x": randn(0, 1, 3)}, dim=1),
    case("out_of_range", {"x": randn(3)}, error="ShapeError", dim=1),
])
op("unsqueeze", lambda x, dim: x.unsqueeze(dim), [
    case("front", {"x": randn(3, 5)}, dim=0),
    case("middle", {"x": randn(3, 5)}, dim=1),
    case("end", {"x": randn(3, 5)}, dim=2),
    case("negative", {"x": randn(3, 5)}, dim=-1),
    case("scalar", {"x": randn()}, dim=0),
    case("transposed", {"x": T(3, 5)}, dim=1),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}, dim=0),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}, dim=1),
    case("empty", {"x": randn(0, 3)}, dim=1),
    case("out_of_range", {"x": randn(3)}, error="ShapeError", dim=3),
])
op("flatten", lambda x, startDim=0, endDim=-1: x.flatten(startDim, endDim), [
    case("all", {"x": randn(2, 3, 4)}),
    case("after_batch", {"x": randn(2, 3, 4)}, startDim=1),
    case("front", {"x": randn(2, 3, 4)}, startDim=0, endDim=1),
    case("negative", {"x": randn(2, 3, 4, 2)}, startDim=-3, endDim=-2),
    case("one_dim", {"x": randn(2, 3)}, startDim=1, endDim=1),
    case("channels_last", {"x": channels_last(2, 3, 4, 5)}, startDim=1),
    case("transposed", {"x": T(2, 3, 4)}, startDim=1),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2)}),
    case("expanded", {"x": randn(3, 1).expand(3, 4)}),
    case("scalar", {"x": randn()}),
    case("empty_batch", {"x": randn(0, 3, 4)}, startDim=1),
    case("crossed", {"x": randn(2, 3, 4)}, error="ArgumentError", startDim=2, endDim=1),
])

write(__file__)
