"""Goldens of layers that are more than one op: RReLU in evaluation, softplus with another beta, weight normalisation.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, op, randn, uniform, values, write  # noqa: E402


def shapes(**attrs):
    return [
        case("scalar", {"x": randn()}, **attrs),
        case("empty", {"x": randn(0, 3)}, **attrs),
        case("matrix", {"x": randn(5, 7)}, **attrs),
        case("transposed", {"x": randn(7, 5).permute(1, 0)}, **attrs),
        case("every_second", {"x": randn(3, 11).slice(1, 1, 11, 2)}, **attrs),
        case("expanded", {"x": randn(3, 1).expand(3, 4)}, **attrs),
        case("channels_last", {"x": channels_last(2, 3, 2, 3)}, **attrs),
        case("zeros", {"x": values([0.0, -0.0])}, **attrs),
        case("large", {"x": values([1e4, -1e4])}, **attrs),
    ]


op("rreluEvaluation", lambda x, lower=1 / 8, upper=1 / 3: F.rrelu(x, lower, upper, training=False), [
    *shapes(),
    case("own_range", {"x": randn(5, 7)}, lower=0.1, upper=0.5),
    case("paper", {"x": randn(5, 7)}, lower=1 / 5.5, upper=1 / 5.5),
])
op("softplusBeta", lambda x, beta: F.softplus(x, beta, threshold=1e9), [
    *[c for c in shapes(beta=2.0) if c["name"] != "large"],  # PyTorch's exponential overflows without its threshold
    case("half", {"x": randn(5, 7)}, beta=0.5),
    case("saturated", {"x": values([8.0, -8.0, 20.0, -20.0])}, beta=2.0),
])


def weight_norm(x, g, v, bias=None, dim=0):
    """What torch.nn.utils.weight_norm puts in place of the weight: g v / |v|, with one length per index of `dim`, or one for all."""
    others = [d for d in range(v.dim()) if d != dim]
    weight = g * v / v.norm(2, others, keepdim=True)
    if dim == 0:
        assert torch.allclose(weight, torch._weight_norm(v, g, 0))
    return F.linear(x, weight, bias) if v.dim() == 2 else F.conv2d(x, weight, bias)


positive = uniform(0.5, 2)
op("weightNorm", weight_norm, [
    case("linear", {"x": randn(2, 3), "g": positive(4, 1), "v": randn(4, 3), "bias": randn(4)}),
    case("linear_no_bias", {"x": randn(2, 3), "g": positive(4, 1), "v": randn(4, 3)}),
    case("linear_by_input", {"x": randn(2, 3), "g": positive(1, 3), "v": randn(4, 3)}, dim=1),
    case("linear_whole", {"x": randn(2, 3), "g": positive(1, 1), "v": randn(4, 3)}, dim=None),
    case("one_unit", {"x": randn(5, 3), "g": positive(1, 1), "v": randn(1, 3), "bias": randn(1)}),
    case("sequence", {"x": randn(2, 7, 3), "g": positive(4, 1), "v": randn(4, 3), "bias": randn(4)}),
    case("transposed", {"x": randn(3, 5).permute(1, 0), "g": positive(4, 1), "v": randn(4, 3), "bias": randn(4)}),
    case("empty", {"x": randn(0, 3), "g": positive(4, 1), "v": randn(4, 3), "bias": randn(4)}),
    case("convolution", {"x": randn(2, 3, 5, 5), "g": positive(4, 1, 1, 1), "v": randn(4, 3, 2, 3), "bias": randn(4)}),
    case("convolution_channels_last", {"x": channels_last(2, 3, 5, 5), "g": positive(4, 1, 1, 1), "v": randn(4, 3, 3, 3), "bias": randn(4)}),
    case("scalar", {"x": randn(), "g": positive(4, 1), "v": randn(4, 3)}, error="ShapeError"),
])

write(__file__)
