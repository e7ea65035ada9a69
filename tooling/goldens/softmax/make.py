"""Goldens of softmax and cross-entropy. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, ints, op, randn, uniform, values, write  # noqa: E402

index = lambda data: values(data, torch.int32)

for name, function in (("softmax", torch.softmax), ("logSoftmax", torch.log_softmax)):
    op(name, lambda x, dim: function(x, dim), [
        case("rows", {"x": randn(5, 7)}, dim=1),
        case("columns", {"x": randn(5, 7)}, dim=0),
        case("middle", {"x": randn(2, 5, 3)}, dim=1),
        case("negative_dim", {"x": randn(2, 3, 5)}, dim=-1),
        case("vector", {"x": randn(17)}, dim=0),
        case("long", {"x": randn(2, 523)}, dim=1),
        case("single", {"x": randn(3, 1)}, dim=1),
        case("scalar", {"x": randn()}, dim=0),
        case("transposed", {"x": randn(7, 5).permute(1, 0)}, dim=1),
        case("sliced", {"x": randn(5, 14).slice(1, 1, 14, 2)}, dim=1),
        case("expanded", {"x": randn(3, 1).expand(3, 4)}, dim=1),
        case("channels_last", {"x": channels_last(2, 3, 2, 3)}, dim=1),
        case("empty", {"x": randn(0, 3)}, dim=1),
        case("empty_dim", {"x": randn(3, 0)}, dim=1),
        case("large", {"x": values([[1e4, 1e4, 9999.0], [-1e4, -1e4, -9999.0], [1e4, -1e4, 0.0]])}, dim=1),
        case("thousand", {"x": values([1000.0, 1001.0, 1002.0])}, dim=0),
        case("masked", {"x": values([[0.5, -math.inf, 1.0], [-math.inf, 2.0, -math.inf]])}, grad=name == "softmax", dim=1),
        case("not_finite", {"x": values([[-math.inf, -math.inf], [math.inf, 1.0], [math.nan, 1.0]])}, grad=False, dim=1),
        case("dim_out_of_range", {"x": randn(3, 5)}, error="ShapeError", dim=2),
    ])


def cross_entropy(logits, target, weight=None, ignoreIndex=-100, reduction="mean", labelSmoothing=0.0):
    return F.cross_entropy(logits, target, weight, ignore_index=ignoreIndex, reduction=reduction, label_smoothing=labelSmoothing)


def batch(rows=5, classes=4, **more):
    return {"logits": randn(rows, classes), "target": ints(0, classes)(rows), **more}


positive = uniform(0.5, 2)
some_ignored = index([0, -100, 3, -100, 1])
op("crossEntropy", cross_entropy, [
    case("mean", batch()),
    case("sum", batch(), reduction="sum"),
    case("none", batch(), reduction="none"),
    case("weights", batch(weight=positive(4))),
    case("weights_sum", batch(weight=positive(4)), reduction="sum"),
    case("weights_none", batch(weight=positive(4)), reduction="none"),
    case("ignored", {"logits": randn(5, 4), "target": some_ignored}),
    case("ignored_none", {"logits": randn(5, 4), "target": some_ignored}, reduction="none"),
    case("ignored_sum", {"logits": randn(5, 4), "target": some_ignored}, reduction="sum"),
    case("ignored_class", {"logits": randn(5, 4), "target": index([0, 2, 3, 2, 1])}, ignoreIndex=2),
    case("ignored_with_weights", {"logits": randn(5, 4), "target": some_ignored, "weight": positive(4)}),
    case("all_ignored", {"logits": randn(2, 4), "target": index([-100, -100])}, grad=False),
    case("all_ignored_sum", {"logits": randn(2, 4), "target": index([-100, -100])}, reduction="sum"),
    case("smoothed", batch(), labelSmoothing=0.1),
    case("smoothed_none", batch(), labelSmoothing=0.1, reduction="none"),
    case("smoothed_sum", batch(), labelSmoothing=0.3, reduction="sum"),
    case("smoothed_with_weights", batch(weight=positive(4)), labelSmoothing=0.2),
    case("smoothed_with_weights_none", batch(weight=positive(4)), labelSmoothing=0.2, reduction="none"),
    case("smoothed_and_ignored", {"logits": randn(5, 4), "target": some_ignored}, labelSmoothing=0.1),
    case("smoothed_weighted_ignored", {"logits": randn(5, 4), "target": some_ignored, "weight": positive(4)}, labelSmoothing=0.1),
    case("one_row", batch(1, 3)),
    case("no_batch", {"logits": randn(4), "target": index(2)}),
    case("one_class", {"logits": randn(3, 1), "target": index([0, 0, 0])}),
    case("many_classes", batch(3, 131)),
    case("images", {"logits": randn(2, 3, 2, 2), "target": ints(0, 3)(2, 2, 2)}),
    case("images_none", {"logits": channels_last(2, 3, 2, 2), "target": ints(0, 3)(2, 2, 2)}, reduction="none"),
    case("transposed", {"logits": randn(4, 5).permute(1, 0), "target": ints(0, 4)(5)}),
    case("sliced", {"logits": randn(5, 8).slice(1, 0, 8, 2), "target": ints(0, 4)(10).slice(0, 0, 10, 2)}),
    case("expanded", {"logits": randn(1, 4).expand(5, 4), "target": index([1]).expand(5)}),
    case("empty_sum", {"logits": randn(0, 4), "target": index([])}, reduction="sum"),
    case("empty_none", {"logits": randn(0, 4), "target": index([])}, reduction="none"),
    case("empty_mean", {"logits": randn(0, 4), "target": index([])}, grad=False),
    case("large", {"logits": values([[1e4, 0.0, -1e4], [1e4, 9999.0, 0.0]]), "target": index([1, 0])}),
    case("rows_differ", {"logits": randn(5, 4), "target": ints(0, 4)(6)}, error="ShapeError"),
    case("wrong_weight", batch(weight=positive(3)), error="ShapeError"),
    case("class_out_of_range", {"logits": randn(2, 4), "target": index([0, 4])}, error="ArgumentError"),
], differentiable=("logits",))

write(__file__)
