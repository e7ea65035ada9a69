"""Goldens of layers that are more than one op: RReLU in evaluation, softplus with another beta, Maxout, weight normalisation, batch
normalisation with its running statistics.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

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



def maxout(x, weight, bias=None, pieces=2):
    """The largest of `pieces` linear functions for each unit: PyTorch has no layer for it."""
    z = F.linear(x, weight, bias)
    return z.reshape(*z.shape[:-1], z.shape[-1] // pieces, pieces).max(-1).values


op("maxoutLayer", maxout, [
    case("two_pieces", {"x": randn(5, 3), "weight": randn(8, 3), "bias": randn(8)}),
    case("three_pieces", {"x": randn(5, 3), "weight": randn(6, 3), "bias": randn(6)}, pieces=3),
    case("no_bias", {"x": randn(5, 3), "weight": randn(6, 3)}, pieces=3),
    case("one_unit", {"x": randn(5, 3), "weight": randn(5, 3), "bias": randn(5)}, pieces=5),
    case("one_piece", {"x": randn(5, 3), "weight": randn(4, 3), "bias": randn(4)}, pieces=1),
    case("sequence", {"x": randn(2, 7, 3), "weight": randn(8, 3), "bias": randn(8)}),
    case("transposed", {"x": randn(3, 5).permute(1, 0), "weight": randn(8, 3), "bias": randn(8)}),
    case("wide", {"x": randn(3, 67), "weight": randn(66, 67), "bias": randn(66)}, pieces=3),
    case("empty", {"x": randn(0, 3), "weight": randn(8, 3), "bias": randn(8)}),
    case("scalar", {"x": randn(), "weight": randn(8, 3)}, error="ShapeError"),
])


def batch_norm(x, then, weight=None, bias=None, momentum=0.1, eps=1e-5, trackRunningStats=True):
    """Two batches in training, then the first again in evaluation."""
    layer = (nn.BatchNorm2d if x.dim() == 4 else nn.BatchNorm1d)(x.shape[1], eps, momentum, affine=False, track_running_stats=trackRunningStats).double()
    affine = lambda y: y if weight is None else y * weight.reshape(-1, *[1] * (x.dim() - 2)) + bias.reshape(-1, *[1] * (x.dim() - 2))
    results = {"first": affine(layer(x)), "second": affine(layer(then)), "evaluated": affine(layer.eval()(x))}
    return {**results, **({"mean": layer.running_mean, "variance": layer.running_var} if trackRunningStats else {})}


def twice(*shape, draw=randn, **more):
    affine = {"weight": positive(shape[1]), "bias": randn(shape[1])} if more.pop("affine", True) else {}
    return {"x": draw(*shape), "then": draw(*shape), **affine}


op("batchNormLayer", batch_norm, [
    case("features", twice(5, 3)),
    case("sequences", twice(3, 4, 5)),
    case("images", twice(2, 3, 5, 4)),
    case("channels_last", twice(2, 5, 3, 3, draw=channels_last)),
    case("many", twice(2, 70, 2, 2)),
    case("no_affine", twice(4, 3, affine=False)),
    case("momentum", twice(4, 3, 2), momentum=0.7),
    case("average", twice(4, 3, 2), momentum=None),
    case("untracked", twice(4, 3, 2), trackRunningStats=False),
    case("eps", twice(4, 3), eps=0.3),
    case("transposed", {"x": randn(3, 5).permute(1, 0), "then": randn(5, 3)}),
    case("one_value", {"x": randn(1, 3), "then": randn(1, 3)}, error="ArgumentError"),
    case("empty", {"x": randn(0, 3), "then": randn(5, 3)}),
    case("scalar", {"x": randn(), "then": randn()}, error="ShapeError"),
])

write(__file__)
