"""Goldens of convolutions. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`.
`stride`, `padding`, `dilation` are a number or [height, width]. Padding may also be [top, bottom, left, right]
([left, right] for conv1d), which PyTorch does not have: here zeros are put around first."""

import sys
from pathlib import Path

import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, op, randn, write  # noqa: E402


def conv1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(padding, list):
        x, padding = F.pad(x, padding), 0
    return F.conv1d(x, weight, bias, stride, padding, dilation, groups)


def conv2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    if isinstance(padding, list) and len(padding) == 4:
        top, bottom, left, right = padding
        x, padding = F.pad(x, [left, right, top, bottom]), 0
    return F.conv2d(x, weight, bias, stride, padding, dilation, groups)


def layer(x, *weight, bias=True, wrong_bias=0, **more):
    """Inputs of a convolution: x, a weight of the given shape, one bias per output map."""
    return {"x": x, "weight": randn(*weight), **({"bias": randn(weight[0] + wrong_bias)} if bias else {}), **more}


op("conv1d", conv1d, [
    case("basic", layer(randn(2, 3, 9), 4, 3, 3)),
    case("no_bias", layer(randn(2, 3, 9), 4, 3, 3, bias=False)),
    case("one_wide", layer(randn(2, 3, 9), 4, 3, 1)),
    case("padded", layer(randn(2, 3, 7), 4, 3, 3), padding=1),
    case("strided", layer(randn(2, 3, 10), 4, 3, 3), stride=2, padding=1),
    case("dilated", layer(randn(2, 3, 11), 4, 3, 3), dilation=2),
    case("groups", layer(randn(2, 4, 9), 6, 2, 3), groups=2),
    case("depthwise", layer(randn(2, 3, 9), 3, 1, 3), groups=3, padding=1),
    case("one_sided_padding", layer(randn(2, 3, 7), 4, 3, 3), padding=[2, 0]),
    case("whole_input", layer(randn(2, 3, 5), 4, 3, 5)),
    case("transposed", layer(randn(2, 9, 3).permute(0, 2, 1), 4, 3, 3)),
    case("sliced", layer(randn(2, 3, 18).slice(2, 0, 18, 2), 4, 3, 3)),
    case("expanded", layer(randn(1, 3, 9).expand(2, 3, 9), 4, 3, 3)),
    case("empty_batch", layer(randn(0, 3, 9), 4, 3, 3)),
    case("kernel_too_big", layer(randn(2, 3, 4), 4, 3, 7), error="ShapeError", padding=1),
    case("channels_differ", layer(randn(2, 3, 9), 4, 2, 3), error="ShapeError"),
    case("scalar", layer(randn(), 4, 2, 3), error="ShapeError"),
    case("matrix", layer(randn(3, 9), 4, 2, 3), error="ShapeError"),
])

op("conv2d", conv2d, [
    case("basic", layer(randn(2, 3, 5, 6), 4, 3, 3, 3)),
    case("no_bias", layer(randn(2, 3, 5, 6), 4, 3, 3, 3, bias=False)),
    case("one_by_one", layer(randn(2, 3, 5, 6), 4, 3, 1, 1)),
    case("one_by_one_strided", layer(randn(2, 3, 5, 6), 4, 3, 1, 1), stride=2),
    case("padded", layer(randn(2, 3, 5, 6), 4, 3, 3, 3), padding=1),
    case("strided", layer(randn(2, 3, 7, 8), 4, 3, 3, 3), stride=2, padding=1),
    case("dilated", layer(randn(2, 3, 7, 8), 4, 3, 3, 3), dilation=2),
    case("all_different", layer(randn(1, 2, 9, 11), 3, 2, 3, 2), stride=[2, 3], padding=[1, 2], dilation=[2, 1]),
    case("stride_beyond_kernel", layer(randn(1, 2, 8, 9), 3, 2, 2, 2), stride=3),
    case("groups", layer(randn(2, 4, 5, 6), 6, 2, 3, 3), groups=2),
    case("groups_strided_dilated", layer(randn(1, 4, 9, 9), 6, 2, 3, 3), groups=2, stride=2, dilation=2, padding=2),
    case("depthwise", layer(randn(2, 3, 5, 6), 3, 1, 3, 3), groups=3, padding=1),
    case("depthwise_multiplied", layer(randn(2, 3, 5, 6), 6, 1, 3, 3), groups=3),
    case("bottom_and_right_only", layer(randn(2, 3, 5, 6), 4, 3, 3, 3), padding=[0, 1, 0, 1], stride=2),
    case("four_paddings", layer(randn(1, 2, 5, 6), 3, 2, 3, 3), padding=[2, 1, 0, 3]),
    case("whole_input", layer(randn(2, 3, 4, 5), 4, 3, 4, 5)),
    case("large_kernel", layer(randn(1, 1, 7, 7), 2, 1, 5, 5), padding=2),
    case("one_channel", layer(randn(1, 1, 5, 5), 1, 1, 3, 3)),
    case("past_a_tile", layer(randn(1, 17, 5, 7), 33, 17, 3, 3), padding=1),
    case("channels_last", layer(channels_last(2, 3, 5, 6), 4, 3, 3, 3), padding=1),
    case("weight_channels_last", {"x": randn(2, 3, 5, 6), "weight": channels_last(4, 3, 3, 3), "bias": randn(4)}),
    case("transposed", layer(randn(2, 3, 6, 5).permute(0, 1, 3, 2), 4, 3, 3, 3)),
    case("sliced", layer(randn(2, 3, 10, 6).slice(2, 0, 10, 2), 4, 3, 3, 3)),
    case("channels_sliced", layer(randn(2, 6, 5, 6).slice(1, 1, 6, 2), 4, 3, 3, 3)),
    case("expanded", layer(randn(1, 3, 5, 1).expand(2, 3, 5, 6), 4, 3, 3, 3)),
    case("empty_batch", layer(randn(0, 3, 5, 6), 4, 3, 3, 3)),
    case("kernel_too_big", layer(randn(2, 3, 3, 6), 4, 3, 6, 3), error="ShapeError", padding=1),
    case("dilated_kernel_too_big", layer(randn(2, 3, 4, 6), 4, 3, 3, 3), error="ShapeError", dilation=2),
    case("channels_differ", layer(randn(2, 3, 5, 6), 4, 2, 3, 3), error="ShapeError"),
    case("groups_do_not_divide", layer(randn(2, 4, 5, 6), 5, 2, 3, 3), error="ShapeError", groups=2),
    case("wrong_bias", layer(randn(2, 3, 5, 6), 4, 3, 3, 3, wrong_bias=1), error="ShapeError"),
    case("scalar", layer(randn(), 4, 3, 3, 3), error="ShapeError"),
    case("matrix", layer(randn(5, 6), 4, 3, 3, 3), error="ShapeError"),
])


def conv_transpose2d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, outputPadding=0):
    return F.conv_transpose2d(x, weight, bias, stride, padding, outputPadding, groups, dilation)


def up(x, *weight, groups=1, bias=True):
    """A transposed convolution has its weight as [in, out / groups, kh, kw]."""
    return {"x": x, "weight": randn(*weight), **({"bias": randn(weight[1] * groups)} if bias else {})}


op("convTranspose2d", conv_transpose2d, [
    case("basic", up(randn(2, 3, 4, 5), 3, 4, 3, 3)),
    case("no_bias", up(randn(2, 3, 4, 5), 3, 4, 3, 3, bias=False)),
    case("one_by_one", up(randn(2, 3, 4, 5), 3, 4, 1, 1)),
    case("doubling", up(randn(2, 3, 4, 5), 3, 4, 4, 4), stride=2, padding=1),
    case("output_padding", up(randn(2, 3, 4, 5), 3, 4, 3, 3), stride=2, padding=1, outputPadding=1),
    case("dilated", up(randn(1, 2, 4, 5), 2, 3, 3, 3), dilation=2),
    case("all_different", up(randn(1, 2, 4, 5), 2, 3, 3, 2), stride=[2, 3], padding=[1, 0], dilation=[2, 1], outputPadding=[1, 2]),
    case("groups", up(randn(2, 4, 4, 5), 4, 3, 3, 3, groups=2), groups=2, stride=2),
    case("depthwise", up(randn(2, 3, 4, 5), 3, 1, 3, 3, groups=3), groups=3),
    case("from_one_pixel", up(randn(2, 5, 1, 1), 5, 3, 4, 4)),
    case("channels_last", up(channels_last(2, 3, 4, 5), 3, 4, 3, 3), stride=2),
    case("sliced", up(randn(2, 3, 8, 5).slice(2, 0, 8, 2), 3, 4, 3, 3)),
    case("expanded", up(randn(1, 3, 4, 1).expand(2, 3, 4, 5), 3, 4, 3, 3)),
    case("empty_batch", up(randn(0, 3, 4, 5), 3, 4, 3, 3)),
    case("channels_differ", up(randn(2, 3, 4, 5), 4, 4, 3, 3), error="ShapeError"),
    case("scalar", up(randn(), 3, 4, 3, 3), error="ShapeError"),
    case("output_padding_too_big", up(randn(2, 3, 4, 5), 3, 4, 3, 3), error="ShapeError", stride=2, outputPadding=2),
])


def conv_transpose1d(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, outputPadding=0):
    return F.conv_transpose1d(x, weight, bias, stride, padding, outputPadding, groups, dilation)


op("convTranspose1d", conv_transpose1d, [
    case("basic", up(randn(2, 3, 5), 3, 4, 3)),
    case("no_bias", up(randn(2, 3, 5), 3, 4, 3, bias=False)),
    case("doubling", up(randn(2, 3, 5), 3, 4, 4), stride=2, padding=1),
    case("output_padding", up(randn(2, 3, 5), 3, 4, 3), stride=3, padding=1, outputPadding=2),
    case("all_different", up(randn(1, 2, 5), 2, 3, 3), stride=2, padding=1, dilation=2, outputPadding=1),
    case("groups", up(randn(2, 4, 5), 4, 3, 3, groups=2), groups=2, stride=2),
    case("depthwise", up(randn(2, 3, 5), 3, 1, 3, groups=3), groups=3),
    case("from_one_step", up(randn(2, 5, 1), 5, 3, 4)),
    case("transposed", up(randn(2, 5, 3).permute(0, 2, 1), 3, 4, 3), stride=2),
    case("sliced", up(randn(2, 3, 10).slice(2, 0, 10, 2), 3, 4, 3)),
    case("empty_batch", up(randn(0, 3, 5), 3, 4, 3)),
    case("channels_differ", up(randn(2, 3, 5), 4, 4, 3), error="ShapeError"),
    case("scalar", up(randn(), 3, 4, 3), error="ShapeError"),
    case("output_padding_too_big", up(randn(2, 3, 5), 3, 4, 3), error="ShapeError", stride=2, outputPadding=2),
])

write(__file__)
