"""Goldens of normalisation over the last dimensions. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, randn, uniform, values, write  # noqa: E402


def layer_norm(x, weight=None, bias=None, normalizedShape=(), eps=1e-5):
    return F.layer_norm(x, normalizedShape, weight, bias, eps)


def rms_norm(x, weight=None, normalizedShape=(), eps=1e-6):
    """As torch.nn.functional.rms_norm of later versions."""
    if x.dim() == 0:
        raise ValueError("no dimension to normalise")
    F.layer_norm(x, normalizedShape, weight)  # the same shapes are refused
    dims = tuple(range(-len(normalizedShape), 0))
    y = x * torch.rsqrt(x.square().mean(dims, keepdim=True) + eps)
    return y if weight is None else y * weight


near_one = uniform(0.5, 1.5)
for name, function in (("layerNorm", layer_norm), ("rmsNorm", rms_norm)):
    affine = lambda *shape: {"weight": near_one(*shape), **({"bias": randn(*shape)} if name == "layerNorm" else {})}
    op(name, function, [
        case("plain", {"x": randn(5, 7)}, normalizedShape=[7]),
        case("affine", {"x": randn(5, 7), **affine(7)}, normalizedShape=[7]),
        case("weight_only", {"x": randn(2, 3, 17), "weight": near_one(17)}, normalizedShape=[17]),
        case("two_dims", {"x": randn(3, 4, 5), **affine(4, 5)}, normalizedShape=[4, 5]),
        case("all_dims", {"x": randn(3, 4), **affine(3, 4)}, normalizedShape=[3, 4]),
        case("vector", {"x": randn(33), **affine(33)}, normalizedShape=[33]),
        case("long", {"x": randn(2, 1031), **affine(1031)}, normalizedShape=[1031]),
        case("many_rows", {"x": randn(301, 3), **affine(3)}, normalizedShape=[3]),
        case("one_column", {"x": randn(4, 1), **affine(1)}, grad=False, normalizedShape=[1]),
        case("large_eps", {"x": randn(4, 6), **affine(6)}, normalizedShape=[6], eps=0.5),
        case("small_values", {"x": uniform(-1e-3, 1e-3)(3, 8), **affine(8)}, normalizedShape=[8]),
        case("transposed", {"x": randn(7, 5).permute(1, 0), **affine(7)}, normalizedShape=[7]),
        case("sliced", {"x": randn(5, 14).slice(1, 1, 14, 2), "weight": near_one(14).slice(0, 0, 14, 2)}, normalizedShape=[7]),
        case("expanded", {"x": randn(1, 6).expand(4, 6), **affine(6)}, normalizedShape=[6]),
        case("empty", {"x": randn(0, 3), **affine(3)}, normalizedShape=[3]),
        case("not_finite", {"x": values([[1.0, float("nan"), 2.0], [1.0, 2.0, 4.0]])}, grad=False, normalizedShape=[3]),
        case("scalar", {"x": randn()}, error="ShapeError", normalizedShape=[1]),
        case("other_shape", {"x": randn(3, 5)}, error="ShapeError", normalizedShape=[3]),
        case("other_weight", {"x": randn(3, 5), "weight": randn(3)}, error="ShapeError", normalizedShape=[5]),
    ])

write(__file__)
