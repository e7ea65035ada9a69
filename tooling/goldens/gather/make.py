"""Goldens of indexing, counting and sorting. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, distinct, ints, op, randn, values, write  # noqa: E402

index = lambda data: values(data, torch.int32)

op("gather", lambda x, index, dim: torch.gather(x, dim, index), [
    case("rows", {"x": randn(5, 3), "index": ints(0, 5)(4, 3)}, dim=0),
    case("columns", {"x": randn(3, 5), "index": ints(0, 5)(3, 2)}, dim=1),
    case("repeated", {"x": randn(3, 4), "index": index([[1, 1, 1, 0], [2, 2, 3, 3], [0, 0, 0, 0]])}, dim=1),
    case("longer_than_input", {"x": randn(2, 3), "index": ints(0, 3)(2, 9)}, dim=1),
    case("fewer_rows", {"x": randn(5, 4), "index": ints(0, 4)(2, 3)}, dim=1),
    case("middle", {"x": randn(2, 5, 3), "index": ints(0, 5)(2, 4, 3)}, dim=1),
    case("negative_dim", {"x": randn(3, 5), "index": ints(0, 5)(3, 2)}, dim=-1),
    case("vector", {"x": randn(7), "index": ints(0, 7)(9)}, dim=0),
    case("transposed", {"x": randn(5, 3).permute(1, 0), "index": ints(0, 5)(2, 3).permute(1, 0)}, dim=1),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2), "index": ints(0, 5)(3, 4).slice(1, 0, 4, 2)}, dim=1),
    case("expanded", {"x": randn(3, 1).expand(3, 4), "index": ints(0, 4)(1, 2).expand(3, 2)}, dim=1),
    case("scalars", {"x": randn(), "index": index(0)}, dim=0),
    case("no_index", {"x": randn(3, 5), "index": ints(0, 5)(3, 0)}, dim=1),
    case("out_of_range", {"x": randn(3, 5), "index": index([[0, 5], [1, 2], [3, 4]])}, error="ArgumentError", dim=1),
    case("ranks_differ", {"x": randn(3, 5), "index": ints(0, 3)(4)}, error="ShapeError", dim=0),
    case("more_rows_than_input", {"x": randn(3, 5), "index": ints(0, 5)(4, 2)}, error="ShapeError", dim=1),
    case("float_index", {"x": randn(3, 5), "index": values([[0.0], [1.0], [2.0]])}, error="DTypeError", dim=1),
])
op("scatterAdd", lambda x, index, src, dim: torch.scatter_add(x, dim, index, src), [
    case("rows", {"x": randn(5, 3), "index": ints(0, 5)(4, 3), "src": randn(4, 3)}, dim=0),
    case("columns", {"x": randn(3, 5), "index": ints(0, 5)(3, 2), "src": randn(3, 2)}, dim=1),
    case("all_to_one_place", {"x": randn(3, 4), "index": index([[1] * 6, [2] * 6, [0] * 6]), "src": randn(3, 6)}, dim=1),
    case("src_larger_than_index", {"x": randn(3, 5), "index": ints(0, 5)(2, 2), "src": randn(3, 4)}, error="ShapeError",
         differs="PyTorch ignores the rest of src, and has no gradient then", dim=1),
    case("middle", {"x": randn(2, 5, 3), "index": ints(0, 5)(2, 4, 3), "src": randn(2, 4, 3)}, dim=1),
    case("negative_dim", {"x": randn(3, 5), "index": ints(0, 5)(3, 7), "src": randn(3, 7)}, dim=-1),
    case("vector", {"x": randn(7), "index": ints(0, 7)(19), "src": randn(19)}, dim=0),
    case("transposed", {"x": randn(5, 3).permute(1, 0), "index": ints(0, 5)(2, 3).permute(1, 0), "src": randn(2, 3).permute(1, 0)}, dim=1),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2), "index": ints(0, 5)(3, 4), "src": randn(3, 8).slice(1, 1, 8, 2)}, dim=1),
    case("expanded", {"x": randn(3, 1).expand(3, 4), "index": ints(0, 4)(3, 2), "src": randn(1, 2).expand(3, 2)}, dim=1),
    case("scalars", {"x": randn(), "index": index(0), "src": randn()}, dim=0),
    case("no_index", {"x": randn(3, 5), "index": ints(0, 5)(3, 0), "src": randn(3, 0)}, dim=1),
    case("out_of_range", {"x": randn(3), "index": index([0, 3]), "src": randn(2)}, error="ArgumentError", dim=0),
    case("src_too_small", {"x": randn(3, 5), "index": ints(0, 5)(3, 3), "src": randn(3, 2)}, error="ShapeError", dim=1),
    case("ranks_differ", {"x": randn(3, 5), "index": ints(0, 3)(4), "src": randn(4)}, error="ShapeError", dim=0),
])
op("indexSelect", lambda x, index, dim: torch.index_select(x, dim, index), [
    case("rows", {"x": randn(5, 3), "index": index([4, 0, 2])}, dim=0),
    case("columns", {"x": randn(3, 5), "index": index([1, 3])}, dim=1),
    case("repeated", {"x": randn(4, 3), "index": index([1, 1, 0, 1, 3, 3])}, dim=0),
    case("middle", {"x": randn(2, 5, 3), "index": index([4, 4, 1])}, dim=1),
    case("negative_dim", {"x": randn(3, 5), "index": index([1, 0])}, dim=-1),
    case("vector", {"x": randn(7), "index": index([6, 0, 6])}, dim=0),
    case("transposed", {"x": randn(5, 3).permute(1, 0), "index": index([2, 0])}, dim=0),
    case("sliced", {"x": randn(3, 10).slice(1, 0, 10, 2), "index": ints(0, 5)(8).slice(0, 0, 8, 2)}, dim=1),
    case("expanded", {"x": randn(1, 4).expand(3, 4), "index": index([2, 2])}, dim=0),
    case("channels_last", {"x": channels_last(2, 3, 2, 2), "index": index([2, 0])}, dim=1),
    case("no_index", {"x": randn(3, 5), "index": index([])}, dim=1),
    case("empty_other_dim", {"x": randn(3, 0), "index": index([2, 1])}, dim=0),
    case("out_of_range", {"x": randn(3, 5), "index": index([3])}, error="ArgumentError", dim=0),
    case("negative_index", {"x": randn(3, 5), "index": index([-1])}, error="ArgumentError", dim=0),
    case("scalar", {"x": randn(), "index": index([0])}, error="ShapeError",
         differs="PyTorch takes a 0-d tensor for a vector; there is no dimension to select from", dim=0),
    case("float_index", {"x": randn(3, 5), "index": values([0.0, 1.0])}, error="DTypeError", dim=0),
])
op("oneHot", lambda x, numClasses: F.one_hot(x, numClasses), [
    case("vector", {"x": index([0, 2, 1, 2])}, numClasses=3),
    case("more_classes", {"x": index([0, 2])}, numClasses=5),
    case("matrix", {"x": ints(0, 4)(2, 3)}, numClasses=4),
    case("scalar", {"x": index(1)}, numClasses=3),
    case("one_class", {"x": index([0, 0])}, numClasses=1),
    case("transposed", {"x": ints(0, 4)(3, 2).permute(1, 0)}, numClasses=4),
    case("sliced", {"x": ints(0, 4)(9).slice(0, 1, 9, 2)}, numClasses=4),
    case("expanded", {"x": index([[1], [2]]).expand(2, 3)}, numClasses=3),
    case("empty", {"x": index([])}, numClasses=3),
    case("too_large", {"x": index([0, 3])}, error="ArgumentError", numClasses=3),
    case("negative", {"x": index([0, -1])}, error="ArgumentError", numClasses=3),
    case("floats", {"x": values([0.0, 1.0])}, error="DTypeError", numClasses=3),
])
op("topk", lambda x, k, dim=-1, largest=True: dict(zip(("values", "indices"), torch.topk(x, k, dim, largest, True))), [
    case("vector", {"x": distinct(9)}, k=3),
    case("rows", {"x": distinct(4, 7)}, k=2, dim=1),
    case("columns", {"x": distinct(7, 4)}, k=3, dim=0),
    case("middle", {"x": distinct(2, 5, 3)}, k=2, dim=1),
    case("smallest", {"x": distinct(4, 7)}, k=2, dim=1, largest=False),
    case("all", {"x": distinct(3, 5)}, k=5, dim=1),
    case("one", {"x": distinct(3, 5)}, k=1, dim=-1),
    case("none", {"x": distinct(3, 5)}, k=0, dim=1),
    case("transposed", {"x": distinct(7, 4).permute(1, 0)}, k=3, dim=1),
    case("sliced", {"x": distinct(3, 10).slice(1, 0, 10, 2)}, k=2, dim=1),
    case("expanded", {"x": distinct(1, 4).expand(3, 4)}, k=2, dim=1),
    case("long", {"x": distinct(2, 131)}, k=7, dim=1),
    case("infinite", {"x": values([1.0, math.inf, -math.inf, 2.0])}, k=3),
    case("not_a_number_is_largest", {"x": values([1.0, math.nan, math.inf, 2.0])}, k=2, grad=False),
    case("scalar", {"x": randn()}, k=1),
    case("empty_rows", {"x": randn(0, 5)}, k=2, dim=1),
    case("too_many", {"x": randn(3, 5)}, error="ArgumentError", k=6, dim=1),
])
op("sort", lambda x, dim=-1, descending=False:
   dict(zip(("values", "indices"), torch.sort(x, dim=dim, descending=descending, stable=True))), [
    case("vector", {"x": distinct(9)}),
    case("rows", {"x": distinct(4, 7)}, dim=1),
    case("columns", {"x": distinct(7, 4)}, dim=0),
    case("middle", {"x": distinct(2, 5, 3)}, dim=1),
    case("descending", {"x": distinct(4, 7)}, dim=1, descending=True),
    case("ties_keep_order", {"x": values([2.0, 1.0, 2.0, 1.0, 2.0, 0.0])}),
    case("ties_keep_order_descending", {"x": values([2.0, 1.0, 2.0, 1.0, 2.0, 0.0])}, descending=True),
    case("transposed", {"x": distinct(7, 4).permute(1, 0)}, dim=1),
    case("sliced", {"x": distinct(3, 10).slice(1, 0, 10, 2)}, dim=1),
    case("expanded", {"x": distinct(1, 4).expand(3, 4)}, dim=1),
    case("long", {"x": distinct(2, 131)}, dim=1),
    case("infinite", {"x": values([1.0, math.inf, -math.inf, 2.0])}),
    case("not_a_number_last", {"x": values([1.0, math.nan, math.inf, 2.0])}, grad=False),
    case("not_a_number_first", {"x": values([1.0, math.nan, math.inf, 2.0])}, grad=False, descending=True),
    case("scalar", {"x": randn()}),
    case("single", {"x": randn(3, 1)}, dim=1),
    case("empty", {"x": randn(0, 5)}, dim=0),
    case("out_of_range", {"x": randn(3)}, error="ShapeError", dim=1),
])

write(__file__)
