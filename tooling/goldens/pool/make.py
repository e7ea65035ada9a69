"""Goldens of pooling. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`.
Padding may be [top, bottom, left, right] ([left, right] of sequences), which PyTorch does not have: here it is put around first."""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, distinct, op, randn, values, write  # noqa: E402


def max_pool(x, kernelSize, stride=None, padding=0, dilation=1, ceilMode=False):
    if isinstance(padding, list) and len(padding) == 4:
        x, padding = F.pad(x, [*padding[2:], *padding[:2]], value=-math.inf), 0
    return F.max_pool2d(x, kernelSize, stride, padding, dilation, ceilMode)


def average_pool(x, kernelSize, stride=None, padding=0, ceilMode=False, countIncludePad=True):
    if isinstance(padding, list) and len(padding) == 4:
        mean, real = (F.avg_pool2d(F.pad(t, [*padding[2:], *padding[:2]]), kernelSize, stride, 0, ceilMode) for t in (x, torch.ones_like(x)))
        return mean if countIncludePad else mean / real
    return F.avg_pool2d(x, kernelSize, stride, padding, ceilMode, countIncludePad)


def windows(draw):
    return [
        case("two_by_two", {"x": draw(2, 3, 4, 6)}, kernelSize=2),
        case("rest_dropped", {"x": draw(2, 3, 5, 7)}, kernelSize=2),
        case("overlapping", {"x": draw(2, 3, 7, 7)}, kernelSize=3, stride=2),
        case("overlapping_by_two", {"x": draw(1, 2, 6, 6)}, kernelSize=3, stride=1),
        case("padded", {"x": draw(2, 3, 5, 6)}, kernelSize=3, stride=2, padding=1),
        case("bottom_and_right_only", {"x": draw(2, 3, 6, 5)}, kernelSize=3, stride=2, padding=[0, 1, 0, 2]),
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
    case("real_elements_four_paddings", {"x": randn(2, 3, 5, 6)}, kernelSize=3, stride=2, padding=[0, 2, 1, 0], countIncludePad=False),
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
op("adaptiveMaxPool2d", lambda x, outputSize: F.adaptive_max_pool2d(x, outputSize), [
    case("global", {"x": distinct(2, 3, 4, 5)}, outputSize=1),
    case("even", {"x": distinct(2, 3, 4, 6)}, outputSize=2),
    case("uneven", {"x": distinct(2, 3, 5, 7)}, outputSize=3),
    case("sides_differ", {"x": distinct(1, 2, 5, 7)}, outputSize=[2, 3]),
    case("identity", {"x": distinct(1, 2, 3, 4)}, outputSize=[3, 4]),
    case("larger_than_input", {"x": distinct(1, 2, 2, 3)}, outputSize=[4, 5]),
    case("first_of_ties", {"x": values([1.0]).expand(1, 2, 5, 7)}, outputSize=[2, 3]),
    case("channels_last", {"x": channels_last(2, 3, 5, 6, distinct)}, outputSize=2),
    case("sliced", {"x": distinct(2, 3, 10, 6).slice(2, 0, 10, 2)}, outputSize=3),
    case("empty_batch", {"x": distinct(0, 3, 4, 6)}, outputSize=2),
    case("scalar", {"x": randn()}, error="ShapeError", outputSize=2),
    case("matrix", {"x": randn(4, 6)}, error="ShapeError", outputSize=2),
])


def max_pool1d(x, kernelSize, stride=None, padding=0, dilation=1, ceilMode=False):
    if isinstance(padding, list):
        x, padding = F.pad(x, padding, value=-math.inf), 0
    return F.max_pool1d(x, kernelSize, stride, padding, dilation, ceilMode)


def average_pool1d(x, kernelSize, stride=None, padding=0, ceilMode=False, countIncludePad=True):
    if isinstance(padding, list):
        return average_pool(x.unsqueeze(2), [1, kernelSize], [1, stride or kernelSize], [0, 0, *padding], ceilMode, countIncludePad).squeeze(2)
    return F.avg_pool1d(x, kernelSize, stride, padding, ceilMode, countIncludePad)


def windows1d(draw):
    """No matrices: PyTorch takes them as one sequence alone, here they are refused."""
    return [
        case("two", {"x": draw(2, 3, 6)}, kernelSize=2),
        case("rest_dropped", {"x": draw(2, 3, 7)}, kernelSize=2),
        case("overlapping", {"x": draw(2, 3, 9)}, kernelSize=3, stride=2),
        case("padded", {"x": draw(2, 3, 7)}, kernelSize=3, stride=2, padding=1),
        case("ceiling", {"x": draw(2, 3, 8)}, kernelSize=3, stride=2, ceilMode=True),
        case("ceiling_padded", {"x": draw(2, 3, 8)}, kernelSize=3, stride=2, padding=1, ceilMode=True),
        case("stride_beyond_kernel", {"x": draw(1, 2, 9)}, kernelSize=2, stride=3),
        case("one_sided_padding", {"x": draw(2, 3, 7)}, kernelSize=3, stride=2, padding=[2, 0]),
        case("whole", {"x": draw(2, 3, 5)}, kernelSize=5),
        case("transposed", {"x": draw(2, 9, 3).permute(0, 2, 1)}, kernelSize=2),
        case("sliced", {"x": draw(2, 3, 18).slice(2, 0, 18, 2)}, kernelSize=2),
        case("empty_batch", {"x": draw(0, 3, 6)}, kernelSize=2),
        case("kernel_too_big", {"x": draw(2, 3, 4)}, error="ShapeError", differs="PyTorch takes no maxima then, and refuses means", kernelSize=5),
        case("padding_past_half", {"x": draw(2, 3, 4)}, error="ShapeError", kernelSize=2, padding=2),
        case("scalar", {"x": draw()}, error="ShapeError", kernelSize=2),
        case("matrix", {"x": draw(4, 6)}, error="ShapeError", differs="ours takes batches only", kernelSize=2),
    ]


op("maxPool1d", max_pool1d, [
    *windows1d(distinct),
    case("dilated", {"x": distinct(1, 2, 9)}, kernelSize=3, dilation=2, stride=1, padding=1),
    case("first_of_ties", {"x": values([[[1.0, 1.0, 0.0, 2.0, 2.0, 2.0]]])}, kernelSize=3),
])
op("avgPool1d", average_pool1d, [
    *windows1d(randn),
    case("expanded", {"x": randn(1, 3, 1).expand(2, 3, 6)}, kernelSize=2),
    case("real_elements_only", {"x": randn(2, 3, 7)}, kernelSize=3, stride=2, padding=1, countIncludePad=False),
    case("real_elements_one_sided", {"x": randn(2, 3, 7)}, kernelSize=3, stride=2, padding=[0, 2], countIncludePad=False),
])


def adaptive1d(draw):
    return [
        case("global", {"x": draw(2, 3, 5)}, outputSize=1),
        case("even", {"x": draw(2, 3, 6)}, outputSize=2),
        case("uneven", {"x": draw(2, 3, 7)}, outputSize=3),
        case("identity", {"x": draw(1, 2, 4)}, outputSize=4),
        case("larger_than_input", {"x": draw(1, 2, 3)}, outputSize=5),
        case("transposed", {"x": draw(2, 7, 3).permute(0, 2, 1)}, outputSize=2),
        case("sliced", {"x": draw(2, 3, 10).slice(2, 0, 10, 2)}, outputSize=3),
        case("empty_batch", {"x": draw(0, 3, 6)}, outputSize=2),
        case("scalar", {"x": draw()}, error="ShapeError", outputSize=2),
        case("matrix", {"x": draw(4, 6)}, error="ShapeError", differs="ours takes batches only", outputSize=2),
    ]


op("adaptiveAvgPool1d", lambda x, outputSize: F.adaptive_avg_pool1d(x, outputSize), adaptive1d(randn))
op("adaptiveMaxPool1d", lambda x, outputSize: F.adaptive_max_pool1d(x, outputSize), adaptive1d(distinct))


def over_positions(pool):
    """`dim` is where time is, by default all behind the channels. Masks have the batch first; `lengths` become one. What is not real changes nothing."""
    def run(x, *mask, dim=None, lengths=None):
        dims = list(range(2, x.dim())) if dim is None else [dim]
        batch = 1 if 0 in dims else 0
        if lengths is not None:
            mask = [torch.arange(x.shape[dims[0]])[None] < torch.tensor(lengths)[:, None]]
        if not mask:
            return pool(x, torch.ones_like(x, dtype=torch.bool), dims)
        ordered = mask[0].t() if batch == 1 else mask[0]
        return pool(x, ordered.reshape([n if d == batch or d in dims else 1 for d, n in enumerate(x.shape)]).expand_as(x), dims)
    return run


def real_mean(x, real, dims):
    return torch.where(real, x, torch.zeros_like(x)).sum(dims) / real.sum(dims).clamp(min=1)


def real_max(x, real, dims):
    return torch.where(real.sum(dims) > 0, torch.amax(x.masked_fill(~real, -math.inf), dims), torch.zeros((), dtype=x.dtype))


def masks(draw):
    some = values([[True, True, False, False, False], [True, False, True, True, True]], torch.bool)
    return [
        case("image", {"x": draw(2, 3, 4, 5)}),
        case("sequence", {"x": draw(2, 3, 5)}),
        case("lengths", {"x": draw(3, 2, 5)}, lengths=[5, 1, 3]),
        case("length_zero", {"x": draw(3, 2, 5)}, lengths=[0, 5, 2]),
        case("mask", {"x": draw(2, 3, 5), "mask": some}),
        case("batch_first", {"x": draw(2, 5, 3), "mask": some}, dim=1),
        case("time_first", {"x": draw(5, 2, 3)}, dim=0, lengths=[2, 4]),
        case("time_first_mask", {"x": draw(5, 2, 3), "mask": some}, dim=0),
        case("image_mask", {"x": draw(2, 3, 2, 3), "mask": values([[[True, False, True], [False, False, True]], [[False] * 3] * 2], torch.bool)}),
        case("transposed", {"x": draw(2, 5, 3).permute(0, 2, 1)}, lengths=[3, 5]),
        case("sliced", {"x": draw(2, 3, 10).slice(2, 0, 10, 2)}, lengths=[3, 5]),
        case("empty_batch", {"x": draw(0, 3, 6)}),
        case("scalar", {"x": draw()}, error="ShapeError", differs="PyTorch reduces over no dimensions"),
        case("matrix", {"x": draw(4, 6)}, error="ShapeError", differs="PyTorch reduces over no dimensions"),
    ]


op("globalAvgPool", over_positions(real_mean), masks(randn))
op("globalMaxPool", over_positions(real_max), masks(distinct))

write(__file__)
