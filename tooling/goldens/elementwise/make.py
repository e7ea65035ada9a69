"""Goldens of the element-wise operations: one input, two inputs, comparison, logic, where, cast.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import bools, case, channels_last, ints, op, randn, uniform, values, write  # noqa: E402

# ---- one input --------------------------------------------------------------------------------------------------

ODD = {"neg", "sin", "tan", "asin", "atan", "sinh", "tanh", "erf", "expm1", "log1p", "floor", "ceil", "round", "trunc",
       "sqrt", "abs", "reciprocal"}  # IEEE says which zero (or infinity) comes out of -0


def unary(name, function, draw=randn, extra=(), not_finite=(math.inf, -math.inf, math.nan), **attrs):
    """The same shapes, layouts and special values for all of them. Each special value gets a case of its own, because
    the tolerance is relative to the largest golden of a tensor and 1/1e-8 would hide every other error."""
    op(name, function, [
        case("scalar", {"x": draw()}, **attrs),
        case("empty", {"x": draw(0, 3)}, **attrs),
        case("one", {"x": draw(1)}, **attrs),
        case("vector_17", {"x": draw(17)}, **attrs),
        case("matrix", {"x": draw(5, 7)}, **attrs),
        case("transposed", {"x": draw(7, 5).permute(1, 0)}, **attrs),
        case("every_second", {"x": draw(3, 11).slice(1, 1, 11, 2)}, **attrs),
        case("expanded", {"x": draw(3, 1).expand(3, 4)}, **attrs),
        case("channels_last", {"x": channels_last(2, 3, 2, 3, draw)}, **attrs),
        case("past_a_block", {"x": draw(523)}, **attrs),
        case("zeros", {"x": values([0.0, -0.0])}, signed_zero=name in ODD, **attrs),
        case("tiny", {"x": values([1e-8, -1e-8])}, **attrs),
        case("large", {"x": values([1e4, -1e4])}, **attrs),
        case("not_finite", {"x": values(list(not_finite))}, grad=False, **attrs),
        *extra,
    ])


positive, unit = uniform(0.25, 4), uniform(-0.9, 0.9)

unary("neg", lambda x: -x)
unary("abs", torch.abs)
unary("sign", torch.sign, not_finite=(math.inf, -math.inf))  # of NaN: 0 in PyTorch, NaN here as in NumPy
unary("sqrt", torch.sqrt, positive)
unary("exp", torch.exp, extra=[case("overflow", {"x": values([90.0, 100.0, -110.0])}, grad=False)])
unary("expm1", torch.expm1)
unary("log", torch.log, positive)
unary("log1p", torch.log1p, uniform(-0.9, 3))
unary("sin", torch.sin, uniform(-7, 7))
unary("cos", torch.cos, uniform(-7, 7))
unary("tan", torch.tan, uniform(-1.4, 1.4))
unary("asin", torch.asin, unit, extra=[case("ends", {"x": values([1.0, -1.0])}, grad=False)])
unary("acos", torch.acos, unit, extra=[case("ends", {"x": values([1.0, -1.0])}, grad=False)])
unary("atan", torch.atan, uniform(-5, 5))
unary("sinh", torch.sinh)
unary("cosh", torch.cosh)
unary("tanh", torch.tanh, extra=[case("saturated", {"x": values([9.5, -9.5, 20.0, -20.0, 0.5])})])
unary("sigmoid", torch.sigmoid, extra=[case("saturated", {"x": values([17.0, -17.0, 40.0, -40.0, 0.5, -1.5, 1.0])})])
unary("erf", torch.erf, extra=[case("saturated", {"x": values([3.5, -3.5, 6.0, -6.0])})])
halves = values([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, -0.3, 0.3, 2.0, 8388609.0, -8388609.0])
for rounding in ("floor", "ceil", "round", "trunc"):
    unary(rounding, getattr(torch, rounding), uniform(-4, 4), extra=[case("halves", {"x": halves})])
unary("relu", torch.relu)

# composites
unary("square", torch.square)
unary("reciprocal", torch.reciprocal, positive)
unary("rsqrt", torch.rsqrt, positive)
unary("silu", F.silu, extra=[case("saturated", {"x": values([20.0, -20.0, 50.0, -50.0])})])
unary("gelu", lambda x, approximate="none": F.gelu(x, approximate=approximate), extra=[
    case("approximate_tanh", {"x": uniform(-4, 4)(5, 7)}, approximate="tanh"),
    case("approximate_tanh_scalar", {"x": randn()}, approximate="tanh"),
    case("approximate_tanh_large", {"x": values([10.0, -10.0])}, approximate="tanh"),
])
unary("softplus", F.softplus, extra=[case("saturated", {"x": values([15.0, -15.0, 19.0, -40.0])})])
unary("leakyRelu", lambda x, negativeSlope=0.01: F.leaky_relu(x, negativeSlope), extra=[
    case("slope_0.2", {"x": randn(5, 7)}, negativeSlope=0.2),
    case("slope_0", {"x": randn(9)}, negativeSlope=0.0),
])


def elu(x, alpha=1.0):
    """F.elu computes exp(x) - 1, which loses every digit near 0; expm1 is what it means."""
    return torch.where(x > 0, x, alpha * torch.expm1(torch.where(x > 0, 0.0, x)))


SELU_ALPHA, SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
unary("elu", elu, extra=[
    case("alpha_0.5", {"x": randn(5, 7)}, alpha=0.5),
    case("alpha_2", {"x": randn(9)}, alpha=2.0),
])
unary("selu", lambda x: SELU_SCALE * elu(x, SELU_ALPHA))
unary("hardtanh", lambda x, minVal=-1.0, maxVal=1.0: F.hardtanh(x, minVal, maxVal), extra=[
    case("own_bounds", {"x": randn(5, 7)}, minVal=-0.5, maxVal=2.0),
    case("on_the_bounds", {"x": values([-1.0, 1.0])}),
])
unary("clamp", lambda x, min=None, max=None: torch.clamp(x, min, max), min=-0.5, max=0.75, extra=[
    case("min_only", {"x": randn(5, 7)}, min=0.1),
    case("max_only", {"x": randn(5, 7)}, max=0.1),
    case("crossed", {"x": randn(9)}, error="ArgumentError", differs="PyTorch answers max everywhere; crossed limits are a mistake",
         min=1.0, max=-1.0),
    case("on_the_bounds", {"x": values([-0.5, 0.75])}, min=-0.5, max=0.75),
])
unary("logSigmoid", F.logsigmoid, extra=[case("saturated", {"x": values([20.0, -20.0, 90.0, -90.0])})])
unary("softsign", F.softsign, not_finite=(math.nan,), extra=[case("saturated", {"x": values([20.0, -20.0, 3000.0, -3000.0])})])  # of ±∞: ±1 here
unary("mish", F.mish, extra=[case("saturated", {"x": values([20.0, -20.0, 50.0, -50.0])})])
kinks = [case(f"kink_{v}", {"x": values([v])}) for v in (-3.0, 0.0, 3.0, 6.0)]
unary("relu6", F.relu6, uniform(-2, 8), extra=kinks)
# F.hardsigmoid multiplies its gradient by a sixth rounded to float32, in float64 too.
unary("hardsigmoid", lambda x: F.relu6(x + 3) / 6, uniform(-5, 5), extra=kinks)
unary("hardswish", F.hardswish, uniform(-5, 5), extra=kinks, not_finite=(math.inf, math.nan))  # −∞·0 is NaN here, -0 there
unary("step", lambda x: (x > 0).to(x.dtype))

op("prelu", F.prelu, [
    case("shared", {"x": randn(3, 5), "slope": values([0.25])}),
    case("per_channel", {"x": randn(3, 5), "slope": randn(5)}),
    case("images", {"x": randn(2, 3, 4, 5), "slope": randn(3)}),
    case("images_shared", {"x": randn(2, 3, 4, 5), "slope": values([0.1])}),
    case("channels_last", {"x": channels_last(2, 3, 4, 5), "slope": randn(3)}),
    case("transposed", {"x": randn(5, 3).permute(1, 0), "slope": randn(5)}),
    case("sequence", {"x": randn(2, 3, 7), "slope": randn(3)}),
    case("vector", {"x": randn(17), "slope": values([-0.5])}),
    case("scalar", {"x": randn(), "slope": values([0.25])}),
    case("empty", {"x": randn(0, 3), "slope": randn(3)}),
    case("zeros", {"x": values([0.0, -0.0]), "slope": values([0.25])}),
    case("large", {"x": values([1e4, -1e4]), "slope": values([0.25])}),
    case("not_finite", {"x": values([math.inf, -math.inf, math.nan]), "slope": values([0.25])}, grad=False),
    case("wrong_channels", {"x": randn(3, 5), "slope": randn(3)}, error="ShapeError"),
])
op("maxout", lambda x, dim: x.max(dim).values, [
    case("last", {"x": randn(3, 4, 5)}, dim=-1),
    case("middle", {"x": randn(3, 4, 5)}, dim=1),
    case("first", {"x": randn(3, 4)}, dim=0),
    case("one_piece", {"x": randn(3, 1)}, dim=1),
    case("transposed", {"x": randn(5, 3).permute(1, 0)}, dim=1),
    case("sliced", {"x": randn(3, 11).slice(1, 1, 11, 2)}, dim=1),
    case("large", {"x": values([[1e4, -1e4], [-1e4, 1e4]])}, dim=1),
    case("empty", {"x": randn(0, 3)}, dim=1),
    case("no_pieces", {"x": randn(3, 0)}, error="ArgumentError", dim=1),
    case("scalar", {"x": randn()}, dim=0),
])

mixed = values([[0.0, math.inf, 1.0], [-math.inf, math.nan, -2.0]])
for question in ("isnan", "isinf", "isfinite"):
    unary(question, getattr(torch, question), extra=[case("mixed", {"x": mixed})])
unary("logicalNot", torch.logical_not, extra=[
    case("bool", {"x": bools(3, 5)}),
    case("integers", {"x": ints(-1, 2)(9)}),
])

# ---- two inputs -------------------------------------------------------------------------------------------------


def binary(name, function, a=randn, b=randn, extra=(), special=True, **options):
    """`b` may also come as a number, in the attributes."""
    specials = [] if not special else [
        case("zeros", {"a": values([0.0, -0.0, 1.0, 0.0]), "b": values([0.0, 0.0, 0.0, -1.0])}, grad=False),
        case("tiny", {"a": values([1e-8, -1e-8]), "b": values([2e-8, 3e-8])}, **options),
        case("large", {"a": values([1e4, -1e4]), "b": values([1e4, 9e3])}, **options),
        case("not_finite", {"a": values([math.inf, -math.inf, math.nan, 1.0, math.inf, 1.0]),
                            "b": values([2.0, 2.0, 2.0, math.nan, math.inf, math.inf])}, grad=False),
    ]
    op(name, lambda a, b: function(a, b), [
        case("scalars", {"a": a(), "b": b()}, **options),
        case("matrices", {"a": a(5, 7), "b": b(5, 7)}, **options),
        case("number", {"a": a(3, 5)}, b=1.5, **options),
        case("row", {"a": a(3, 5), "b": b(5)}, **options),
        case("column", {"a": a(3, 1), "b": b(3, 4)}, **options),
        case("both_broadcast", {"a": a(4, 1, 3), "b": b(1, 5, 1)}, **options),
        case("scalar_with_matrix", {"a": a(), "b": b(2, 3)}, **options),
        case("transposed", {"a": a(5, 3).permute(1, 0), "b": b(3, 5)}, **options),
        case("sliced", {"a": a(3, 10).slice(1, 0, 10, 2), "b": b(7, 5).slice(0, 1, 7, 2)}, **options),
        case("expanded", {"a": a(3, 1).expand(3, 4), "b": b(1, 4).expand(3, 4)}, **options),
        case("channels_last_and_bias", {"a": channels_last(2, 3, 2, 3, a), "b": b(3, 1, 1)}, **options),
        case("empty", {"a": a(0, 3), "b": b(3)}, **options),
        case("empty_with_one", {"a": a(2, 0), "b": b(2, 1)}, **options),
        case("past_a_block", {"a": a(523), "b": b(523)}, **options),
        case("mismatch", {"a": a(3, 4), "b": b(3, 5)}, error="ShapeError"),
        *specials, *extra,
    ])


binary("add", torch.add)
binary("sub", torch.sub)
binary("mul", torch.mul)
binary("div", torch.div, b=uniform(0.5, 2))
binary("pow", torch.pow, a=positive, special=False, extra=[
    case("square", {"a": randn(3, 5)}, b=2),
    case("cube", {"a": randn(3, 5)}, b=3),
    case("inverse", {"a": positive(3, 5)}, b=-1),
    case("root", {"a": positive(3, 5)}, b=0.5),
    case("power_zero", {"a": values([0.0, -2.0, 3.0])}, b=0),
    case("zero_to_the_second", {"a": values([0.0, -0.0])}, b=2),
    case("negative_base_whole", {"a": values([-1.5, -2.0, -3.0, -1.25]), "b": values([2.0, 3.0, -2.0, -1.0])}, grad=False),
    case("negative_base_fraction", {"a": values([-1.5, -2.0])}, grad=False, b=0.5),
    case("zero_base", {"a": values([0.0, 0.0, 0.0]), "b": values([0.0, 2.0, -1.0])}, grad=False),
    case("large_base", {"a": values([1e4, -1e4])}, b=2),
    case("not_finite", {"a": values([math.inf, -math.inf, math.nan, 2.0, 0.5, 2.0, 1.0, math.nan]),
                        "b": values([2.0, 3.0, 2.0, math.inf, math.inf, -math.inf, math.nan, 0.0])}, grad=False),
])
ties = {"a": values([1.0, 2.0, -1.0, 0.0]), "b": values([1.0, 2.0, 3.0, 0.0])}
number_or_tensor = lambda f: lambda a, b: f(a, b if isinstance(b, torch.Tensor) else torch.tensor(b, dtype=a.dtype))
binary("maximum", number_or_tensor(torch.maximum), extra=[case("ties_share", ties)])
binary("minimum", number_or_tensor(torch.minimum), extra=[case("ties_share", ties)])
binary("atan2", number_or_tensor(torch.atan2), extra=[
    case("quadrants", {"a": values([1.0, 1.0, -1.0, -1.0]), "b": values([2.0, -2.0, 2.0, -2.0])}),
    case("axes", {"a": values([0.0, -0.0, 0.0, -0.0, 1.0, -1.0]), "b": values([-1.0, -1.0, 1.0, 1.0, 0.0, 0.0])}, grad=False),
])
binary("remainder", torch.remainder, a=uniform(-9, 9), b=uniform(0.5, 2), extra=[
    case("signs", {"a": values([5.5, -5.5, 5.5, -5.5]), "b": values([2.0, 2.0, -2.0, -2.0])}),
    case("negative_number", {"a": uniform(-9, 9)(9)}, b=-1.5),
    case("whole", {"a": values([6.0, -6.0, 6.0]), "b": values([3.0, 3.0, -3.0])}, grad=False),
])


def ints_as_floats(*shape):
    """Small whole numbers, so that equal pairs occur."""
    drawn = ints(-2, 3)(*shape)
    draw = drawn.draw
    drawn.draw = lambda g: draw(g).float()
    return drawn


same = {"a": values([0.0, math.nan, math.inf, -math.inf]), "b": values([-0.0, math.nan, math.inf, math.inf])}
for name in ("eq", "ne", "lt", "le", "gt", "ge"):
    binary(name, getattr(torch, name), ints_as_floats, ints_as_floats, extra=[
        case("integers", {"a": ints(-2, 3)(9), "b": ints(-2, 3)(9)}),
        case("number_hit", {"a": ints_as_floats(9)}, b=1),
        case("zeros_and_nan", same),
    ])
for name in ("And", "Or", "Xor"):
    binary("logical" + name, number_or_tensor(getattr(torch, "logical_" + name.lower())), ints_as_floats, ints_as_floats, extra=[
        case("bool", {"a": bools(3, 5), "b": bools(5)}),
        case("integers", {"a": ints(-1, 2)(9), "b": ints(-1, 2)(9)}),
    ])

op("where", torch.where, [
    case("scalars", {"condition": bools(), "x": randn(), "y": randn()}),
    case("matrices", {"condition": bools(5, 7), "x": randn(5, 7), "y": randn(5, 7)}),
    case("rows", {"condition": bools(5), "x": randn(3, 5), "y": randn(3, 1)}),
    case("three_way", {"condition": bools(4, 1, 1), "x": randn(1, 3, 1), "y": randn(1, 1, 2)}),
    case("transposed", {"condition": bools(5, 3).permute(1, 0), "x": randn(5, 3).permute(1, 0), "y": randn(3, 5)}),
    case("sliced", {"condition": bools(9).slice(0, 0, 9, 2), "x": randn(10).slice(0, 1, 10, 2), "y": randn(5)}),
    case("expanded", {"condition": bools(1, 4).expand(3, 4), "x": randn(3, 1).expand(3, 4), "y": randn(3, 4)}),
    case("channels_last", {"condition": bools(2, 3, 2, 2), "x": channels_last(2, 3, 2, 2), "y": channels_last(2, 3, 2, 2)}),
    case("empty", {"condition": bools(0, 3), "x": randn(0, 3), "y": randn(3)}),
    case("poison_not_chosen", {"condition": values([True, False, True], torch.bool),
                               "x": values([1.0, math.nan, -0.0]), "y": values([math.inf, 2.0, math.nan])}),
    case("mismatch", {"condition": bools(3), "x": randn(4), "y": randn(4)}, error="ShapeError"),
])

TYPES = {"f32": torch.float32, "f64": torch.float64, "i32": torch.int32, "u8": torch.uint8, "bool": torch.bool}
op("cast", lambda x, dtype: x.to(TYPES[dtype]), [
    case("to_f64", {"x": randn(3, 5)}, dtype="f64"),
    case("to_i32_truncates", {"x": values([-2.9, -1.0, -0.5, 0.5, 1.9, 16777216.0])}, dtype="i32"),
    case("to_u8", {"x": values([0.0, 0.9, 1.0, 254.7, 255.0])}, dtype="u8"),
    case("to_bool", {"x": values([0.0, -0.0, 1e-8, -3.0, math.nan, math.inf])}, dtype="bool"),
    case("from_i32", {"x": ints(-9, 9)(3, 5)}, dtype="f32"),
    case("from_i32_large", {"x": values([16777217, -16777217, 2147483647, -2147483648], torch.int32)}, dtype="f64"),
    case("from_u8", {"x": values([0, 1, 128, 255], torch.uint8)}, dtype="f32"),
    case("from_bool", {"x": bools(3, 5)}, dtype="f32"),
    case("i32_to_bool", {"x": ints(-1, 2)(9)}, dtype="bool"),
    case("bool_to_i32", {"x": bools(9)}, dtype="i32"),
    case("u8_to_i32", {"x": values([0, 1, 128, 255], torch.uint8)}, dtype="i32"),
    case("transposed", {"x": randn(5, 3).permute(1, 0)}, dtype="f64"),
    case("sliced", {"x": uniform(-9, 9)(11).slice(0, 1, 11, 3)}, dtype="i32"),
    case("expanded", {"x": bools(1, 4).expand(3, 4)}, dtype="f32"),
    case("scalar", {"x": randn()}, dtype="f64"),
    case("empty", {"x": randn(0, 3)}, dtype="i32"),
])

write(__file__)
