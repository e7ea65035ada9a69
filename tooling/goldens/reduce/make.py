"""Goldens of the reductions and of cumsum. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`.
`dim` is absent (all), a number or a list; `keepdim` keeps reduced sizes as 1."""

import math
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import bools, case, channels_last, distinct, ints, op, randn, uniform, values, write  # noqa: E402


def dims(x, dim):
    """PyTorch's reductions differ in which forms of `dim` they take; a list of all dims serves every one of them."""
    if dim is None:
        return list(range(x.dim()))
    return dim if isinstance(dim, list) else [dim]


def last_first(x, dim):
    """For functions of one dim: removing the last one first keeps the other numbers valid."""
    return sorted((d if d >= 0 else d + x.dim() for d in dims(x, dim)), reverse=True)


def shapes(draw=randn, **attrs):
    return [
        case("all", {"x": draw(3, 5)}, **attrs),
        case("rows", {"x": draw(5, 7)}, dim=1, **attrs),
        case("columns", {"x": draw(5, 7)}, dim=0, **attrs),
        case("middle", {"x": draw(2, 5, 3)}, dim=1, **attrs),
        case("last_by_negative", {"x": draw(2, 3, 5)}, dim=-1, **attrs),
        case("kept", {"x": draw(5, 7)}, dim=1, keepdim=True, **attrs),
        case("scalar", {"x": draw()}, **attrs),
        case("single", {"x": draw(3, 1)}, dim=1, **attrs),
        case("transposed", {"x": draw(7, 5).permute(1, 0)}, dim=1, **attrs),
        case("sliced", {"x": draw(5, 14).slice(1, 1, 14, 2)}, dim=0, **attrs),
        case("channels_last", {"x": channels_last(2, 3, 4, 5, draw)}, dim=1, **attrs),
        case("long", {"x": draw(2, 523)}, dim=1, **attrs),
        case("no_rows", {"x": draw(0, 3)}, dim=1, **attrs),
        case("dim_out_of_range", {"x": draw(3, 5)}, error="ShapeError", dim=2, **attrs),
    ]


def several(draw=randn, **attrs):
    return [
        case("two_dims", {"x": draw(2, 3, 4, 5)}, dim=[2, 3], **attrs),
        case("outer_and_inner", {"x": draw(3, 4, 5)}, dim=[0, 2], **attrs),
        case("batch_statistics", {"x": channels_last(2, 3, 4, 5, draw)}, dim=[0, 2, 3], keepdim=True, **attrs),
        case("all_kept", {"x": draw(3, 5)}, dim=[0, 1], keepdim=True, **attrs),
    ]


expanded = lambda draw=randn: case("expanded", {"x": draw(3, 1).expand(3, 4)}, dim=1)
empty = [case("empty_all", {"x": randn(0, 3)}), case("empty_dim", {"x": randn(0, 3)}, dim=0)]
refused = [case("empty_dim", {"x": randn(0, 3)}, error="ArgumentError", dim=0)]
special = [
    case("not_a_number", {"x": values([[1.0, math.nan, 3.0], [1.0, 2.0, 3.0]])}, grad=False, dim=1),
    case("infinite", {"x": values([[1.0, math.inf], [-math.inf, 2.0], [math.inf, -math.inf]])}, grad=False, dim=1),
]
EVEN = values([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0], [5.0, 1.0, 0.0]])

op("sum", lambda x, dim=None, keepdim=False: torch.sum(x, dims(x, dim), keepdim=keepdim),
   [*shapes(), *several(), expanded(), *empty, *special,
    case("large_and_small", {"x": values([1e4, 1.0, -1e4, 0.5])}),
    case("integers", {"x": ints(-9, 9)(3, 5)}, dim=1)])
op("mean", lambda x, dim=None, keepdim=False: torch.mean(x, dims(x, dim), keepdim=keepdim),
   [*shapes(), *several(), expanded(), *empty, *special])
for name, function in (("max", torch.amax), ("min", torch.amin)):
    op(name, lambda x, dim=None, keepdim=False: function(x, dims(x, dim), keepdim=keepdim),
       [*shapes(distinct), *several(distinct), expanded(distinct), *refused, *special,
        case("ties_share", {"x": EVEN}, dim=1), case("ties_share_all", {"x": values([3.0, 1.0, 3.0, 1.0])})])


def prod(x, dim=None, keepdim=False):
    for d in last_first(x, dim):
        x = torch.prod(x, d, keepdim=keepdim)
    return x


op("prod", prod, [*shapes(uniform(0.8, 1.2)), *several(uniform(0.8, 1.2)), expanded(), *empty, *special,
                  case("signs", {"x": randn(3, 5)}, dim=1),
                  case("one_zero", {"x": values([[2.0, 0.0, 3.0], [1.0, 2.0, 4.0]])}, dim=1),
                  case("two_zeros", {"x": values([[0.0, 0.0, 3.0], [1.0, 0.0, 4.0]])}, dim=1)])
for name, function in (("argmax", torch.argmax), ("argmin", torch.argmin)):
    op(name, lambda x, dim=None, keepdim=False: function(x, dim, keepdim), [
        *shapes(distinct), expanded(distinct), *refused, *special,
        case("empty_all", {"x": randn(0, 3)}, error="ArgumentError"),
        case("first_of_ties", {"x": EVEN}, dim=1),
        case("first_of_ties_all", {"x": values([1.0, 3.0, 1.0, 3.0])}),
    ])
for name, function in (("var", torch.var), ("std", torch.std)):
    op(name, lambda x, dim=None, keepdim=False, correction=1:
       function(x, dim=dims(x, dim), correction=correction, keepdim=keepdim),
       [c for c in [*shapes(), *several(), expanded(), *empty, *special] if c["name"] not in ("scalar", "single", "expanded")] + [
        case("population", {"x": randn(5, 7)}, dim=1, correction=0),
        case("population_all", {"x": randn(5, 7)}, correction=0),
        case("population_batch", {"x": channels_last(2, 3, 4, 5)}, dim=[0, 2, 3], keepdim=True, correction=0),
        case("one_value", {"x": randn(3, 1)}, grad=False, dim=1),
        case("one_value_population", {"x": randn(3, 1)}, grad=name == "var", dim=1, correction=0),
        case("scalar", {"x": randn()}, grad=False),
        case("far_from_zero", {"x": uniform(9, 11)(4, 9)}, dim=1, correction=0),
    ])
op("norm", lambda x, p=2, dim=None, keepdim=False: torch.linalg.vector_norm(x, p, dims(x, dim), keepdim),
   [*shapes(), *several(), expanded(), *special, *empty,
    case("one", {"x": randn(5, 7)}, p=1, dim=1),
    case("three", {"x": randn(5, 7)}, p=3, dim=0),
    case("half", {"x": uniform(0.5, 2)(5, 7)}, p=0.5, dim=1),
    case("infinity", {"x": distinct(5, 7)}, p=math.inf, dim=1),
    case("minus_infinity", {"x": distinct(5, 7)}, p=-math.inf, dim=1),
    case("zero_counts", {"x": values([[0.0, 2.0, 0.0], [1.0, 2.0, 3.0]])}, p=0, dim=1),
    case("of_nothing_but_zeros", {"x": values([[0.0, 0.0], [3.0, 4.0]])}, dim=1),
    case("large", {"x": values([1e4, -1e4, 1.0])})])
op("logsumexp", lambda x, dim=None, keepdim=False: torch.logsumexp(x, dims(x, dim), keepdim),
   [*[c for c in shapes() if c["name"] != "scalar"], *several(), expanded(),
    case("empty_dim", {"x": randn(0, 3)}, dim=0), special[0],
    case("infinite", {"x": values([[1.0, math.inf], [-math.inf, 2.0], [-math.inf, -math.inf]])}, grad=False, dim=1),
    case("large", {"x": values([[1e4, 1e4, 9.99e3], [-1e4, -1e4, -1e4]])}, dim=1),
    case("scalar", {"x": randn()}, dim=0)])


def question(function):
    def answer(x, dim=None, keepdim=False):
        for d in last_first(x, dim):
            x = function(x, d, keepdim)
        return x.bool()
    return answer


for name, function in (("any", torch.any), ("all", torch.all)):
    op(name, question(function), [
        *shapes(bools), *several(bools), expanded(bools),
        case("empty_all", {"x": bools(0, 3)}), case("empty_dim", {"x": bools(0, 3)}, dim=0),
        case("floats", {"x": values([[0.0, -0.0], [0.0, 1e-8], [1.0, math.nan]])}, dim=1),
        case("integers", {"x": ints(0, 2)(4, 3)}, dim=1),
    ])
op("cumsum", torch.cumsum, [
    case("rows", {"x": randn(5, 7)}, dim=1),
    case("columns", {"x": randn(5, 7)}, dim=0),
    case("middle", {"x": randn(2, 5, 3)}, dim=1),
    case("negative_dim", {"x": randn(2, 3, 5)}, dim=-1),
    case("vector", {"x": randn(17)}, dim=0),
    case("long", {"x": randn(2, 523)}, dim=1),
    case("transposed", {"x": randn(7, 5).permute(1, 0)}, dim=1),
    case("sliced", {"x": randn(5, 14).slice(1, 1, 14, 2)}, dim=1),
    expanded(),
    case("scalar", {"x": randn()}, dim=0),
    case("single", {"x": randn(3, 1)}, dim=1),
    case("empty", {"x": randn(0, 3)}, dim=0),
    case("no_columns", {"x": randn(3, 0)}, dim=1),
    case("not_finite", {"x": values([1.0, math.inf, 2.0, -math.inf, 3.0])}, grad=False, dim=0),
    case("dim_out_of_range", {"x": randn(3, 5)}, error="ShapeError", dim=2),
])

write(__file__)
