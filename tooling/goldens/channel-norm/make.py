"""Goldens of normalisation per channel. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, op, randn, uniform, write  # noqa: E402

near_one = uniform(0.5, 1.5)


def batch_norm(x, weight=None, bias=None, mean=None, variance=None, eps=1e-5):
    if mean is None:
        return F.batch_norm(x, None, None, weight, bias, training=True, eps=eps)
    # F.batch_norm has no gradient for given statistics.
    line = lambda t: t.reshape(-1, *[1] * (x.dim() - 2))
    return (x - line(mean)) / (line(variance) + eps).sqrt() * line(weight) + line(bias)


def affine(c):
    return {"weight": near_one(c), "bias": randn(c)}


op("batchNorm", batch_norm, [
    case("features", {"x": randn(5, 3)}),
    case("features_affine", {"x": randn(7, 4), **affine(4)}),
    case("sequences", {"x": randn(3, 4, 5), **affine(4)}),
    case("images", {"x": randn(2, 3, 5, 4), **affine(3)}),
    case("channels_last", {"x": channels_last(2, 5, 3, 3), **affine(5)}),
    case("one_sample", {"x": randn(1, 3, 4, 4), **affine(3)}),
    case("many", {"x": randn(33, 17, 3, 3), **affine(17)}),
    case("eps", {"x": randn(4, 3), **affine(3)}, eps=0.3),
    case("statistics", {"x": randn(4, 3, 2, 2), **affine(3), "mean": randn(3), "variance": near_one(3)}),
    case("statistics_one_value", {"x": randn(1, 3), **affine(3), "mean": randn(3), "variance": near_one(3)}),
    case("sliced", {"x": randn(6, 8).slice(1, 0, 8, 2), **affine(4)}),
    case("statistics_empty", {"x": randn(0, 3), **affine(3), "mean": randn(3), "variance": near_one(3)}),
    case("scalar", {"x": randn()}, error="ShapeError"),
    case("other_weight", {"x": randn(4, 3), "weight": randn(4), "bias": randn(4)}, error="ShapeError"),
])

op("groupNorm", lambda x, weight=None, bias=None, groups=1, eps=1e-5: F.group_norm(x, groups, weight, bias, eps), [
    case("one_group", {"x": randn(3, 4, 5), **affine(4)}, groups=1),
    case("two_groups", {"x": randn(2, 6, 3, 3), **affine(6)}, groups=2),
    case("three_groups", {"x": randn(2, 6, 3, 3)}, groups=3),
    case("single_channels", {"x": randn(2, 5, 7), **affine(5)}, groups=5),
    case("features", {"x": randn(4, 6), **affine(6)}, groups=2),
    case("channels_last", {"x": channels_last(2, 4, 3, 5), **affine(4)}, groups=2),
    case("eps", {"x": randn(2, 4, 3), **affine(4)}, groups=2, eps=0.5),
    case("empty", {"x": randn(0, 4, 3), **affine(4)}, groups=2),
    case("indivisible", {"x": randn(2, 5, 3)}, error="ArgumentError", groups=2),
    case("transposed", {"x": randn(4, 3).permute(1, 0), **affine(4)}, groups=1),
    case("scalar", {"x": randn()}, error="ShapeError", groups=1),
])

def instance_norm(x, weight=None, bias=None, eps=1e-5):
    if x.numel() == 0 and x.dim() > 0:  # which F.instance_norm cannot take
        return x * weight.reshape(-1, 1) + bias.reshape(-1, 1)
    return F.instance_norm(x, None, None, weight, bias, True, 0.1, eps)


op("instanceNorm", instance_norm, [
    case("images", {"x": randn(2, 3, 4, 5)}),
    case("images_affine", {"x": randn(2, 3, 4, 5), **affine(3)}),
    case("sequences", {"x": randn(3, 4, 7), **affine(4)}),
    case("channels_last", {"x": channels_last(2, 4, 3, 3), **affine(4)}),
    case("eps", {"x": randn(2, 3, 6), **affine(3)}, eps=0.2),
    case("one_sample", {"x": randn(1, 2, 9)}),
    case("wide", {"x": randn(2, 1, 70, 3), **affine(1)}),
    case("transposed", {"x": randn(2, 7, 3).permute(0, 2, 1), **affine(3)}),
    case("empty", {"x": randn(0, 3, 4), **affine(3)}),
    case("scalar", {"x": randn()}, error="ShapeError"),
    case("other_weight", {"x": randn(2, 3, 4), "weight": randn(2), "bias": randn(2)}, error="ShapeError"),
])

write(__file__)
