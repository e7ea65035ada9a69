"""Goldens of pooling. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, distinct, op, randn, values, write  # noqa: E402


def max_pool(x, kernelSize, stride=None, padding=0, dilation=1, ceilMode=False):
    return F.max_pool2d(x, kernelSize, stride, padding, dilation, ceilMode)


def average_pool(x, kernelSize, stride=None, padding=0, ceilMode=False, countIncludePad=True):
    return F.avg_pool2d(x, kernelSize, stride, padding, ceilMode, countIncludePad)


def windows(draw):
    return [
        case("two_by_two", {"x": draw(2, 3, 4, 6)}, kernelSize=2),
        case("rest_dropped", {"x": draw(2, 3, 5, 7)}, kernelSize=2),
        case("overlapping", {"x": draw(2, 3, 7, 7)}, kernelSize=3, stride=2),
        case("overlapping_by_two", {"x": draw(1, 2, 6, 6)}, kernelSize=3, stride=1),
        case("padded", {"x": draw(2, 3, 5, 6)}, kernelSize=3, stride=2, padding=1),
        case("ceiling", {"x": draw(2, 3, 6, 7)}, kernelSize=3, stride=2, ceilMode=True),
        case("ceiling_padded", {"x": draw(2, 3, 6, 7)}, kernelSize=3, stride=2, padding=1, ceilMode=True),
        case("sides_differ", {"x": draw(1, 2, 7, 9)}, kernelSize=[3, 2], stride=[2, 3], padding=[1, 0]),
        case("stride_beyond_kernel", {"x": draw(1, 2, 8, 8)}, kernelSize=2, stride=3),
        case("one_by_one", {"x": draw(2, 3, 4, 5)}, kernelSize=1),
        case("whole", {"x": draw(2, 3, 4, 5)}, kernelSize=[4, 5]),
        case("many_channels", {"x": draw(1, 35, 4, 4)}, kernelSize=2),
        case("channels_last", {"x": channels_last(2, 3, 5, 6, draw)}, kernelSize=3, stride=2, padding=1),
        case("transposed", {"x": draw(2, 3, 6, 5).permute(0, 1, 3, 2)}, kernelSize=2),
        case("sliced", {"x": draw(2, 3, 10, 6).slice(2, 0, 10, 2)}, kernelSize=2),
        case("empty_batch", {"x": draw(0, 3, 4, 6)}, kernelSize=2),
        case("kernel_too_big", {"x": draw(2, 3, 4, 6)}, error="ShapeError", kernelSize=5),
        case("padding_past_half", {"x": draw(2, 3, 4, 6)}, error="ShapeError", kernelSize=2, padding=2),
        case("scalar", {"x": draw()}, error="ShapeError", kernelSize=2),
        case("matrix", {"x": draw(4, 6)}, error="ShapeError", kernelSize=2),
    ]


op("maxPool2d", max_pool, [
    *windows(distinct),
    case("dilated", {"x": distinct(1, 2, 7, 8)}, kernelSize=2, dilation=[2, 3], stride=1),
    case("dilated_padded", {"x": distinct(1, 2, 7, 8)}, kernelSize=3, dilation=2, stride=2, padding=1),
    case("first_of_ties", {"x": values([[[[1.0, 1.0, 0.0, 2.0], [1.0, 1.0, 2.0, 2.0]]]])}, kernelSize=2),
    case("equal_and_overlapping", {"x": values([1.0]).expand(1, 1, 5, 5)}, kernelSize=3, stride=2),
    case("peak_shared_by_four", {"x": values([[[[0.0] * 5, [0.0] * 5, [0.0, 0.0, 10.0, 0.0, 0.0], [0.0] * 5, [0.0] * 5]]])},
         kernelSize=3, stride=2),
    case("negative_with_padding", {"x": values([[[[-5.0, -6.0], [-7.0, -8.0]]]])}, kernelSize=2, padding=1),
    case("not_a_number", {"x": values([[[[1.0, math.nan, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0]]]])}, grad=False, kernelSize=2),
    case("minus_infinity", {"x": values([[[[-math.inf, -math.inf, 0.0, math.inf], [-math.inf, -math.inf, 1.0, 2.0]]]])}, kernelSize=2),
])
op("avgPool2d", average_pool, [
    *windows(randn),
    case("expanded", {"x": randn(1, 3, 4, 1).expand(2, 3, 4, 6)}, kernelSize=2),
    case("real_elements_only", {"x": randn(2, 3, 5, 6)}, kernelSize=3, stride=2, padding=1, countIncludePad=False),
    case("real_elements_ceiling", {"x": randn(2, 3, 6, 7)}, kernelSize=3, stride=2, padding=1, ceilMode=True, countIncludePad=False),
    case("not_finite", {"x": values([[[[1.0, math.nan, 3.0, math.inf], [1.0, 2.0, 3.0, 4.0]]]])}, grad=False, kernelSize=2),
])
op("adaptiveAvgPool2d", lambda x, outputSize: F.adaptive_avg_pool2d(x, outputSize), [
    case("global", {"x": randn(2, 3, 4, 5)}, outputSize=1),
    case("even", {"x": randn(2, 3, 4, 6)}, outputSize=2),
    case("uneven", {"x": randn(2, 3, 5, 7)}, outputSize=3),
    case("sides_differ", {"x": randn(1, 2, 5, 7)}, outputSize=[2, 3]),
    case("identity", {"x": randn(1, 2, 3, 4)}, outputSize=[3, 4]),
    case("larger_than_input", {"x": randn(1, 2, 2, 3)}, outputSize=[4, 5]),
    case("channels_last", {"x": channels_last(2, 3, 5, 6)}, outputSize=2),
    case("transposed", {"x": randn(2, 3, 7, 5).permute(0, 1, 3, 2)}, outputSize=2),
    case("sliced", {"x": randn(2, 3, 10, 6).slice(2, 0, 10, 2)}, outputSize=3),
    case("expanded", {"x": randn(1, 3, 4, 1).expand(2, 3, 4, 6)}, outputSize=2),
    case("empty_batch", {"x": randn(0, 3, 4, 6)}, outputSize=2),
    case("scalar", {"x": randn()}, error="ShapeError", outputSize=2),
    case("matrix", {"x": randn(4, 6)}, error="ShapeError", outputSize=2),
])

write(__file__)
