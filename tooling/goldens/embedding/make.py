"""Goldens of embeddings. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, ints, op, randn, values, write  # noqa: E402

index = lambda data: values(data, torch.int32)


def table(rows=6, dim=5, **more):
    return {"weight": randn(rows, dim), **more}


op("embedding", lambda weight, ids, paddingIdx=None: F.embedding(ids, weight, padding_idx=paddingIdx), [
    case("vector", table(ids=ints(0, 6)(4))),
    case("batch", table(ids=ints(0, 6)(3, 7))),
    case("three_dimensions", table(ids=ints(0, 6)(2, 3, 2))),
    case("repeated", table(ids=index([2, 2, 2, 5, 2]))),
    case("scalar", table(ids=index(3))),
    case("padding", table(ids=index([[0, 3, 0], [5, 0, 1]])), paddingIdx=0),
    case("padding_in_the_middle", table(ids=index([[1, 3, 3], [5, 0, 3]])), paddingIdx=3),
    case("padding_from_the_end", table(ids=index([[1, 5, 3], [5, 0, 3]])), paddingIdx=-1),
    case("only_padding", table(ids=index([2, 2])), paddingIdx=2),
    case("one_column", table(6, 1, ids=ints(0, 6)(9)), paddingIdx=4),
    case("wide", table(4, 131, ids=ints(0, 4)(9)), paddingIdx=1),
    case("transposed", {"weight": randn(5, 6).permute(1, 0), "ids": ints(0, 6)(3, 4).permute(1, 0)}),
    case("sliced", {"weight": randn(12, 4).slice(0, 0, 12, 2), "ids": ints(0, 6)(8).slice(0, 0, 8, 2)}),
    case("expanded", table(ids=index([[1], [4]]).expand(2, 3))),
    case("empty", table(ids=ints(0, 6)(0))),
    case("empty_batch", table(ids=ints(0, 6)(0, 3)), paddingIdx=0),
    case("too_large", table(ids=index([6])), error="ArgumentError"),
    case("negative", table(ids=index([-1])), error="ArgumentError"),
    case("padding_out_of_range", table(ids=index([1])), error="ArgumentError", paddingIdx=6),
])


def embedding_bag(weight, ids, mode="mean", paddingIdx=None, bagOffsets=None):
    offsets = None if bagOffsets is None else torch.tensor(bagOffsets)
    return F.embedding_bag(ids, weight, offsets, mode=mode, padding_idx=paddingIdx)


bags = {"ids": index([3, 1, 1, 5, 0, 2, 2, 4])}
op("embeddingBag", embedding_bag, [
    *(case(f"rows_{mode}", table(ids=index([[0, 3, 1], [5, 2, 4], [2, 1, 0]])), mode=mode) for mode in ("sum", "mean", "max")),
    *(case(f"offsets_{mode}", table(**bags), mode=mode, bagOffsets=[0, 3, 4, 4, 7]) for mode in ("sum", "mean")),
    case("offsets_max", table(ids=index([3, 1, 5, 0, 2, 4])), mode="max", bagOffsets=[0, 3, 4, 4]),
    *(case(f"padding_rows_{mode}", table(ids=index([[0, 3, 1], [5, 0, 0], [0, 0, 0]])), mode=mode, paddingIdx=0) for mode in ("sum", "mean", "max")),
    *(case(f"padding_offsets_{mode}", table(**bags), mode=mode, paddingIdx=2, bagOffsets=[0, 2, 5]) for mode in ("sum", "mean", "max")),
    case("one_bag", table(ids=index([3, 1, 4])), mode="sum", bagOffsets=[0]),
    case("transposed", table(ids=index([[0, 3, 1], [5, 2, 4]]).permute(1, 0)), mode="mean"),
    case("empty", table(ids=ints(0, 6)(0)), mode="sum", bagOffsets=[0, 0]),
    case("scalar", table(ids=index(3)), error="ShapeError", mode="sum"),
    case("rows_with_offsets", table(ids=index([[0, 3]])), error="ArgumentError", mode="sum", bagOffsets=[0]),
])

write(__file__)
