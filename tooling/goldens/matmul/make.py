"""Goldens of products of matrices. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, randn, write  # noqa: E402

flipped = lambda rows, columns: randn(columns, rows).permute(1, 0)  # a transposed matrix of that shape

op("matmul", torch.matmul, [
    case("one_by_one", {"a": randn(1, 1), "b": randn(1, 1)}),
    case("matrices", {"a": randn(5, 7), "b": randn(7, 3)}),
    case("past_a_tile", {"a": randn(17, 33), "b": randn(33, 19)}),
    case("dot", {"a": randn(7), "b": randn(7)}),
    case("vector_matrix", {"a": randn(5), "b": randn(5, 3)}),
    case("matrix_vector", {"a": randn(3, 5), "b": randn(5)}),
    case("batched", {"a": randn(2, 3, 4), "b": randn(2, 4, 5)}),
    case("batch_and_matrix", {"a": randn(2, 3, 4), "b": randn(4, 5)}),
    case("matrix_and_batch", {"a": randn(3, 4), "b": randn(2, 4, 5)}),
    case("batches_broadcast", {"a": randn(2, 1, 3, 4), "b": randn(3, 4, 2)}),
    case("batch_and_vector", {"a": randn(2, 3, 4), "b": randn(4)}),
    case("vector_and_batch", {"a": randn(3), "b": randn(2, 3, 4)}),
    case("a_transposed", {"a": flipped(5, 7), "b": randn(7, 3)}),
    case("b_transposed", {"a": randn(5, 7), "b": flipped(7, 3)}),
    case("both_transposed", {"a": flipped(5, 7), "b": flipped(7, 3)}),
    case("sliced", {"a": randn(5, 14).slice(1, 0, 14, 2), "b": randn(7, 9).slice(1, 1, 9, 3)}),
    case("rows_sliced", {"a": randn(9, 7).slice(0, 0, 9, 2), "b": randn(7, 3)}),
    case("expanded", {"a": randn(1, 7).expand(5, 7), "b": randn(7, 1).expand(7, 3)}),
    case("batch_expanded", {"a": randn(1, 3, 4).expand(2, 3, 4), "b": randn(2, 4, 5)}),
    case("batch_permuted", {"a": randn(3, 2, 4).permute(1, 0, 2), "b": randn(4, 5, 2).permute(2, 0, 1)}),
    case("no_rows", {"a": randn(0, 4), "b": randn(4, 5)}),
    case("no_columns", {"a": randn(3, 4), "b": randn(4, 0)}),
    case("nothing_to_sum", {"a": randn(3, 0), "b": randn(0, 5)}),
    case("no_batch", {"a": randn(0, 3, 4), "b": randn(0, 4, 5)}),
    case("inner_mismatch", {"a": randn(2, 3), "b": randn(4, 5)}, error="ShapeError"),
    case("batch_mismatch", {"a": randn(2, 3, 4), "b": randn(3, 4, 5)}, error="ShapeError"),
    case("scalar", {"a": randn(), "b": randn(3)}, error="ShapeError"),
])

einsum = lambda *tensors, equation: torch.einsum(equation, *tensors)
op("einsum", einsum, [
    case("matmul", {"a": randn(3, 4), "b": randn(4, 5)}, equation="ij,jk->ik"),
    case("implicit_output", {"a": randn(3, 4), "b": randn(4, 5)}, equation="ij,jk"),
    case("batched", {"a": randn(2, 3, 4), "b": randn(2, 4, 5)}, equation="bij,bjk->bik"),
    case("second_transposed", {"a": randn(3, 4), "b": randn(5, 4)}, equation="ij,kj->ik"),
    case("attention_scores", {"a": randn(2, 3, 2, 4), "b": randn(2, 5, 2, 4)}, equation="bqhd,bkhd->bhqk"),
    case("outer", {"a": randn(3), "b": randn(4)}, equation="i,j->ij"),
    case("dot", {"a": randn(5), "b": randn(5)}, equation="i,i->"),
    case("transpose", {"a": randn(3, 4)}, equation="ij->ji"),
    case("sum_all", {"a": randn(3, 4)}, equation="ij->"),
    case("sum_rows", {"a": randn(3, 4)}, equation="ij->i"),
    case("trace", {"a": randn(4, 4)}, equation="ii->"),
    case("diagonal", {"a": randn(4, 4)}, equation="ii->i"),
    case("elementwise", {"a": randn(3, 4), "b": randn(3, 4)}, equation="ij,ij->ij"),
    case("bilinear", {"a": randn(2, 3), "b": randn(5, 3, 4), "c": randn(2, 4)}, equation="bi,oij,bj->bo"),
    case("contract_two", {"a": randn(2, 3, 4), "b": randn(3, 4, 5)}, equation="aij,ijb->ab"),
    case("ellipsis", {"a": randn(2, 3, 4, 5), "b": randn(5, 2)}, equation="...i,ij->...j"),
    case("ellipsis_broadcast", {"a": randn(2, 1, 3, 4), "b": randn(3, 4, 2)}, equation="...ij,...jk->...ik"),
    case("summed_on_one_side", {"a": randn(3, 4), "b": randn(5)}, equation="ij,k->ik"),
    case("strided", {"a": flipped(3, 4), "b": randn(4, 10).slice(1, 0, 10, 2)}, equation="ij,jk->ik"),
    case("scalars", {"a": randn(), "b": randn(3)}, equation=",i->i"),
    case("empty", {"a": randn(0, 4), "b": randn(4, 5)}, equation="ij,jk->ik"),
    case("nothing_to_sum", {"a": randn(3, 0), "b": randn(0, 5)}, equation="ij,jk->ik"),
    case("size_mismatch", {"a": randn(3, 4), "b": randn(5, 6)}, error="ShapeError", equation="ij,jk->ik"),
    case("rank_mismatch", {"a": randn(3, 4)}, error="ShapeError", equation="ijk->i"),
    case("unknown_output", {"a": randn(3, 4)}, error="ShapeError", equation="ij->k"),
])

op("outer", torch.outer, [
    case("vectors", {"a": randn(3), "b": randn(5)}),
    case("one_by_one", {"a": randn(1), "b": randn(1)}),
    case("long", {"a": randn(17), "b": randn(33)}),
    case("sliced", {"a": randn(10).slice(0, 0, 10, 2), "b": randn(9).slice(0, 1, 9, 3)}),
    case("expanded", {"a": randn(1).expand(4), "b": randn(3)}),
    case("no_rows", {"a": randn(0), "b": randn(3)}),
    case("no_columns", {"a": randn(3), "b": randn(0)}),
    case("scalar", {"a": randn(), "b": randn(3)}, error="ShapeError"),
    case("matrix", {"a": randn(2, 2), "b": randn(3)}, error="ShapeError"),
])

op("linear", F.linear, [
    case("batch", {"x": randn(5, 4), "weight": randn(3, 4), "bias": randn(3)}),
    case("no_bias", {"x": randn(5, 4), "weight": randn(3, 4)}),
    case("vector", {"x": randn(4), "weight": randn(3, 4), "bias": randn(3)}),
    case("sequence", {"x": randn(2, 5, 4), "weight": randn(3, 4), "bias": randn(3)}),
    case("one_by_one", {"x": randn(1, 1), "weight": randn(1, 1), "bias": randn(1)}),
    case("past_a_tile", {"x": randn(9, 33), "weight": randn(17, 33), "bias": randn(17)}),
    case("transposed", {"x": flipped(5, 4), "weight": flipped(3, 4), "bias": randn(3)}),
    case("sliced", {"x": randn(5, 8).slice(1, 0, 8, 2), "weight": randn(6, 4).slice(0, 0, 6, 2), "bias": randn(6).slice(0, 1, 6, 2)}),
    case("expanded", {"x": randn(1, 4).expand(5, 4), "weight": randn(3, 1).expand(3, 4), "bias": randn(1).expand(3)}),
    case("empty_batch", {"x": randn(0, 4), "weight": randn(3, 4), "bias": randn(3)}),
    case("no_features", {"x": randn(5, 0), "weight": randn(3, 0), "bias": randn(3)}),
    case("mismatch", {"x": randn(5, 4), "weight": randn(3, 5), "bias": randn(3)}, error="ShapeError"),
    case("scalar", {"x": randn(), "weight": randn(3, 4)}, error="ShapeError"),
    case("wrong_bias", {"x": randn(5, 4), "weight": randn(3, 4), "bias": randn(2)}, error="ShapeError"),
])

write(__file__)
