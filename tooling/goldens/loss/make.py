"""Goldens of the losses, with masks: a masked loss is PyTorch's loss of the elements that count.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import bools, case, channels_last, ints, op, randn, uniform, values, write  # noqa: E402

warnings.simplefilter("ignore")  # shapes that PyTorch would rather not broadcast, and its plans for kl_div

index = lambda data: values(data, torch.int32)
signs = lambda *shape: values_of(shape, (-1.0, 1.0))
probability = uniform(0.05, 0.95)
positive = uniform(0.5, 2)


def values_of(shape, choices):
    drawn = ints(0, len(choices))(*shape)
    draw = drawn.draw
    drawn.draw = lambda g: torch.tensor(choices)[draw(g).long()]
    return drawn


def parts(rest):
    """What follows the fixed arguments: at most one mask, and weights by what they are for."""
    mask = next((t for t in rest if t.dtype == torch.bool), None)
    return mask, [t for t in rest if t.dtype != torch.bool]


def over(mask, reduction, each):
    """mean, sum or all of one loss per element; under a mask only of what counts."""
    if mask is None:
        return {"mean": each.mean(), "sum": each.sum(), "none": each}[reduction]
    mask = mask.expand(each.shape)
    if reduction == "none":
        return torch.where(mask, each, torch.zeros_like(each))
    return each[mask].sum() / (max(int(mask.sum()), 1) if reduction == "mean" else 1)


def elementwise(f, default="mean"):
    """`f(x, target, reduction="none", **attrs)` under a mask; without one PyTorch reduces by itself."""

    def loss(x, target, *rest, reduction=default, **attrs):
        mask, extra = parts(rest)
        if mask is None:
            return f(x, target, *extra, reduction=reduction, **attrs)
        return over(mask, reduction, f(x, target, *extra, reduction="none", **attrs))

    return loss


def shapes(x, t, **attrs):
    return [
        case("mean", {"x": x(3, 5), "target": t(3, 5)}, **attrs),
        case("sum", {"x": x(3, 5), "target": t(3, 5)}, reduction="sum", **attrs),
        case("none", {"x": x(3, 5), "target": t(3, 5)}, reduction="none", **attrs),
        case("scalar", {"x": x(), "target": t()}, **attrs),
        case("empty_sum", {"x": x(0, 3), "target": t(0, 3)}, reduction="sum", **attrs),
        case("empty_mean", {"x": x(0, 3), "target": t(0, 3)}, grad=False, **attrs),
        case("past_a_block", {"x": x(523), "target": t(523)}, **attrs),
        case("transposed", {"x": x(5, 3).permute(1, 0), "target": t(3, 5)}, **attrs),
        case("sliced", {"x": x(3, 11).slice(1, 1, 11, 2), "target": t(3, 5)}, **attrs),
        case("expanded", {"x": x(3, 1).expand(3, 4), "target": t(3, 4)}, **attrs),
        case("channels_last", {"x": channels_last(2, 3, 2, 2, x), "target": t(2, 3, 2, 2)}, **attrs),
        case("masked", {"x": x(3, 5), "target": t(3, 5), "mask": bools(3, 5)}, **attrs),
        case("masked_sum", {"x": x(3, 5), "target": t(3, 5), "mask": bools(3, 5)}, reduction="sum", **attrs),
        case("masked_none", {"x": x(3, 5), "target": t(3, 5), "mask": bools(3, 5)}, reduction="none", **attrs),
        case("masked_rows", {"x": x(4, 5), "target": t(4, 5), "mask": values([[True], [False], [True], [True]], torch.bool)}, **attrs),
        case("masked_away", {"x": x(3), "target": t(3), "mask": values([False] * 3, torch.bool)}, **attrs),
        case("shapes_differ", {"x": x(3, 5), "target": t(4, 5)}, error="ShapeError", **attrs),
    ]


large = {"x": values([1e4, -1e4, 0.0]), "target": values([-1.0, 1.0, 0.5])}
op("mseLoss", elementwise(F.mse_loss), shapes(randn, randn))
op("halfMse", elementwise(lambda x, t, reduction: F.mse_loss(x, t, reduction=reduction) / 2), shapes(randn, randn))
op("halfSse", elementwise(lambda x, t, reduction: F.mse_loss(x, t, reduction=reduction) / 2, "sum"), [
    case("whole", {"x": randn(3, 5), "target": randn(3, 5)}), *shapes(randn, randn)[1:]])
op("maeLoss", elementwise(F.l1_loss), [*shapes(randn, randn), case("equal", {"x": values([1.0, 2.0]), "target": values([1.0, 3.0])})])
op("huberLoss", elementwise(F.huber_loss), [
    *shapes(uniform(-3, 3), randn),
    case("delta_half", {"x": uniform(-3, 3)(5, 7), "target": randn(5, 7)}, delta=0.5),
    case("large", large),
])
op("smoothL1Loss", elementwise(F.smooth_l1_loss), [
    *shapes(uniform(-3, 3), randn),
    case("beta_half", {"x": uniform(-3, 3)(5, 7), "target": randn(5, 7)}, beta=0.5),
    case("beta_zero", {"x": uniform(-3, 3)(5, 7), "target": randn(5, 7)}, beta=0.0),
    case("large", large),
])


def bce(p, t, weight=None, reduction="mean"):
    return F.binary_cross_entropy(p, t, weight, reduction=reduction)


op("bceLoss", elementwise(bce), [
    *shapes(probability, probability),
    case("weight", {"x": probability(3, 5), "target": probability(3, 5), "weight": positive(3, 5)}),
    case("hard_targets", {"x": probability(9), "target": values([0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0])}),
    case("certain", {"x": values([0.0, 1.0, 0.0, 1.0]), "target": values([1.0, 0.0, 0.0, 1.0])}, grad=False, reduction="none"),
], differentiable=("x",))


def bce_with_logits(z, t, *weights, reduction="mean", names=()):
    known = dict(zip(names, weights))
    return F.binary_cross_entropy_with_logits(z, t, known.get("weight"), reduction=reduction, pos_weight=known.get("posWeight"))


op("bceWithLogits", elementwise(bce_with_logits), [
    *shapes(randn, probability),
    case("posWeight", {"x": randn(3, 5), "target": probability(3, 5), "posWeight": positive(5)}, names=["posWeight"]),
    case("posWeight_sum", {"x": randn(3, 5), "target": probability(3, 5), "posWeight": positive(5)}, names=["posWeight"], reduction="sum"),
    case("weight", {"x": randn(3, 5), "target": probability(3, 5), "weight": positive(3, 1)}, names=["weight"]),
    case("both_masked", {"x": randn(3, 5), "target": probability(3, 5), "weight": positive(3, 5), "posWeight": positive(5), "mask": bools(3, 5)},
         names=["weight", "posWeight"]),
    case("hard_targets", {"x": randn(6), "target": values([0.0, 1.0, 0.0, 1.0, 1.0, 0.0])}),
    case("at_zero", {"x": values([0.0, -0.0]), "target": values([1.0, 0.0])}),
    case("large", {"x": values([1e4, -1e4, 1e4, -1e4]), "target": values([1.0, 0.0, 0.0, 1.0])}),
], differentiable=("x",))


def kl_div(x, t, reduction="mean", logTarget=False):
    return F.kl_div(x, t, reduction=reduction, log_target=logTarget)


op("klDiv", elementwise(kl_div), [
    *shapes(lambda *s: uniform(-4, -0.1)(*s), probability),
    case("batchmean", {"x": uniform(-4, -0.1)(3, 5), "target": probability(3, 5)}, reduction="batchmean"),
    case("log_target", {"x": uniform(-4, -0.1)(3, 5), "target": uniform(-4, -0.1)(3, 5)}, logTarget=True),
    case("log_target_batchmean", {"x": uniform(-4, -0.1)(3, 5), "target": uniform(-4, -0.1)(3, 5)}, logTarget=True, reduction="batchmean"),

    case("zero_targets", {"x": uniform(-4, -0.1)(2, 3), "target": values([[0.0, 0.25, 0.75], [1.0, 0.0, 0.0]])}, reduction="sum"),
    case("all_zero", {"x": uniform(-4, -0.1)(5), "target": values([0.0] * 5)}),
], differentiable=("x",))


def hinge(x, t, reduction="mean", margin=1.0, squared=False):
    """Not in PyTorch: its definition, max(0, margin - t x)."""
    if x.shape != t.shape:
        raise RuntimeError("shapes differ")
    each = torch.relu(margin - x * t)
    return over(None, reduction, each * each if squared else each)


op("hingeLoss", elementwise(hinge), [
    *shapes(uniform(-3, 3), signs),
    case("margin", {"x": uniform(-3, 3)(5, 7), "target": signs(5, 7)}, margin=0.25),
    case("squared", {"x": uniform(-3, 3)(5, 7), "target": signs(5, 7)}, squared=True),
    case("large", {"x": values([1e4, -1e4]), "target": values([1.0, 1.0])}),
], differentiable=("x",))


# ---- classes ------------------------------------------------------------------------------------------------------


def by_position(f):
    """Class losses: mask `[N]`; the mean divides by weights where there are some."""

    def loss(x, target, *rest, reduction="mean", **attrs):
        mask, extra = parts(rest)
        weight = extra[0] if extra else None
        if mask is None:
            return f(x, target, weight, reduction=reduction, **attrs)
        if reduction == "none":
            each = f(x, target, weight, reduction="none", **attrs)
            return torch.where(mask, each, torch.zeros_like(each))
        rows = x.permute(0, *range(2, x.dim()), 1)[mask]
        return f(rows, target[mask] if not target.is_floating_point() else target.permute(0, *range(2, x.dim()), 1)[mask], weight, reduction=reduction, **attrs)

    return loss


def multi_margin(x, target, weight, reduction="mean", margin=1.0, p=1):
    return F.multi_margin_loss(x, target, p, margin, weight, reduction=reduction)


def rows(n=5, k=4, **more):
    return {"x": randn(n, k), "target": ints(0, k)(n), **more}


op("multiMarginLoss", by_position(multi_margin), [
    case("mean", rows()),
    case("sum", rows(), reduction="sum"),
    case("none", rows(), reduction="none"),
    case("margin", rows(), margin=0.3),
    case("squared", rows(), p=2),
    case("weights", rows(weight=positive(4))),
    case("weights_squared_sum", rows(weight=positive(4)), p=2, reduction="sum"),
    case("transposed", {"x": randn(4, 5).permute(1, 0), "target": ints(0, 4)(5)}),
    case("empty_none", {"x": randn(0, 4), "target": index([])}, reduction="none"),
    case("masked", rows(mask=values([True, False, True, True, False], torch.bool))),
    case("masked_sum", rows(mask=values([True, False, True, True, False], torch.bool)), reduction="sum"),
    case("masked_none", rows(mask=values([True, False, True, True, False], torch.bool)), reduction="none"),
    case("large", {"x": values([[1e4, -1e4, 0.0]]), "target": index([1])}),
    case("scalar", {"x": randn(), "target": index([0, 1])}, error="ShapeError"),
    case("rows_differ", {"x": randn(5, 4), "target": ints(0, 4)(6)}, error="ShapeError"),
], differentiable=("x",))


def nll(x, target, weight, reduction="mean", ignoreIndex=-100):
    return F.nll_loss(x.contiguous(), target, weight, ignore_index=ignoreIndex, reduction=reduction)


some_ignored = index([0, -100, 3, -100, 1])
five = values([True, False, True, True, False], torch.bool)
op("nllLoss", by_position(nll), [
    case("mean", rows()),
    case("sum", rows(), reduction="sum"),
    case("none", rows(), reduction="none"),
    case("weights", rows(weight=positive(4))),
    case("weights_none", rows(weight=positive(4)), reduction="none"),
    case("ignored", {"x": randn(5, 4), "target": some_ignored}),
    case("ignored_class_weights", {"x": randn(5, 4), "target": index([0, 2, 3, 2, 1]), "weight": positive(4)}, ignoreIndex=2),
    case("images", {"x": randn(2, 3, 2, 2), "target": ints(0, 3)(2, 2, 2)}),
    case("images_none", {"x": channels_last(2, 3, 2, 2), "target": ints(0, 3)(2, 2, 2)}, reduction="none"),
    case("transposed", {"x": randn(4, 5).permute(1, 0), "target": ints(0, 4)(5)}),
    case("empty_sum", {"x": randn(0, 4), "target": index([])}, reduction="sum"),
    case("masked", rows(mask=five)),
    case("masked_weights", rows(weight=positive(4), mask=five)),
    case("masked_and_ignored", {"x": randn(5, 4), "target": some_ignored, "mask": five}),
    case("masked_images", {"x": randn(2, 3, 2, 2), "target": ints(0, 3)(2, 2, 2), "mask": bools(2, 2, 2)}),
    case("masked_none", rows(mask=five), reduction="none"),
    case("scalar", {"x": randn(), "target": index(0)}, error="ShapeError"),
    case("rows_differ", {"x": randn(5, 4), "target": ints(0, 4)(6)}, error="ShapeError"),
], differentiable=("x",))


def cross_entropy(x, target, weight, reduction="mean", ignoreIndex=-100, labelSmoothing=0.0):
    return F.cross_entropy(x, target, weight, ignore_index=ignoreIndex, reduction=reduction, label_smoothing=labelSmoothing)


op("crossEntropyMasked", by_position(cross_entropy), [
    case("mean", rows(mask=five)),
    case("sum", rows(mask=five), reduction="sum"),
    case("none", rows(mask=five), reduction="none"),
    case("weights", rows(weight=positive(4), mask=five)),
    case("weights_sum", rows(weight=positive(4), mask=five), reduction="sum"),
    case("smoothed", rows(mask=five), labelSmoothing=0.1),
    case("smoothed_weights", rows(weight=positive(4), mask=five), labelSmoothing=0.1),
    case("and_ignored", {"x": randn(5, 4), "target": some_ignored, "mask": five}),
    case("ignored_class_weights", {"x": randn(5, 4), "target": index([0, 2, 3, 2, 1]), "weight": positive(4), "mask": five}, ignoreIndex=2),
    case("tokens", {"x": randn(2, 3, 7), "target": ints(0, 3)(2, 7), "mask": bools(2, 7)}),
    case("tokens_transposed", {"x": randn(2, 7, 3).permute(0, 2, 1), "target": ints(0, 3)(2, 7), "mask": bools(2, 7)}, reduction="none"),
    case("probabilities", {"x": randn(5, 4), "target": probability(5, 4), "mask": five}),
    case("probabilities_smoothed_sum", {"x": randn(5, 4), "target": probability(5, 4), "mask": five}, labelSmoothing=0.2, reduction="sum"),
    case("probabilities_tokens", {"x": randn(2, 3, 7), "target": probability(2, 3, 7), "mask": bools(2, 7)}),
    case("probabilities_weights", {"x": randn(5, 4), "target": probability(5, 4), "weight": positive(4), "mask": five}),
    case("probabilities_unmasked", {"x": randn(5, 4), "target": probability(5, 4)}),
    case("probabilities_unmasked_weights", {"x": randn(5, 4), "target": probability(5, 4), "weight": positive(4)}),
    case("probabilities_unmasked_weights_sum", {"x": randn(5, 4), "target": probability(5, 4), "weight": positive(4)}, reduction="sum"),
    case("probabilities_unmasked_none", {"x": randn(5, 4), "target": probability(5, 4)}, reduction="none", labelSmoothing=0.1),
    case("probabilities_unmasked_images", {"x": channels_last(2, 3, 2, 2), "target": probability(2, 3, 2, 2), "weight": positive(3)}, labelSmoothing=0.1),
    case("empty", {"x": randn(0, 4), "target": index([]), "mask": values([], torch.bool)}, reduction="sum"),
    case("scalar", {"x": randn(), "target": index(0)}, error="ShapeError"),
], differentiable=("x",))


# ---- adversarial --------------------------------------------------------------------------------------------------


def discriminator(real, fake):
    return F.binary_cross_entropy_with_logits(real, torch.ones_like(real)) + F.binary_cross_entropy_with_logits(fake, torch.zeros_like(fake))


def generator(fake, saturating=False):
    wanted = torch.zeros_like(fake) if saturating else torch.ones_like(fake)
    return F.binary_cross_entropy_with_logits(fake, wanted) * (-1 if saturating else 1)


pairs = [
    ("plain", randn(5, 1), randn(7, 1)), ("vectors", randn(9), randn(9)), ("scalar", randn(), randn()), ("patches", randn(2, 1, 3, 3), randn(2, 1, 3, 3)),
    ("transposed", randn(3, 5).permute(1, 0), randn(5, 3)), ("every_second", randn(10).slice(0, 0, 10, 2), randn(5)), ("past_a_block", randn(523), randn(521)),
    ("large", values([1e4, -1e4, 30.0]), values([-1e4, 1e4, -30.0])),
]
op("discriminatorLoss", discriminator, [
    *[case(name, {"real": real, "fake": fake}) for name, real, fake in pairs],
    case("empty", {"real": randn(0, 1), "fake": randn(0, 1)}, grad=False),
])
op("generatorLoss", generator, [
    *[case(name, {"fake": fake if name not in ("transposed", "every_second") else real}) for name, real, fake in pairs],
    *[case(f"{name}_saturating", {"fake": fake}, saturating=True) for name, _, fake in pairs],
    case("empty", {"fake": randn(0, 1)}, grad=False),
])


# ---- rows ---------------------------------------------------------------------------------------------------------


def cosine(a, b, target, *rest, reduction="mean", margin=0.0):
    return over(parts(rest)[0], reduction, F.cosine_embedding_loss(a, b, target, margin, reduction="none")) if rest else F.cosine_embedding_loss(a, b, target, margin, reduction=reduction)


pair = lambda n=5, d=3, **more: {"a": randn(n, d), "b": randn(n, d), "target": signs(n), **more}
op("cosineEmbeddingLoss", cosine, [
    case("mean", pair()),
    case("sum", pair(), reduction="sum"),
    case("none", pair(), reduction="none"),
    case("margin", pair(9, 4), margin=0.2),
    case("wide", pair(2, 523)),
    case("transposed", {"a": randn(3, 5).permute(1, 0), "b": randn(5, 3), "target": signs(5)}),
    case("sliced", {"a": randn(5, 6).slice(1, 0, 6, 2), "b": randn(5, 3), "target": signs(5)}),
    case("empty_none", {"a": randn(0, 3), "b": randn(0, 3), "target": values([])}, reduction="none"),
    case("large", {"a": values([[1e4, -1e4], [1e4, 1e4]]), "b": values([[1e4, 1e3], [-1e4, 2e4]]), "target": values([1.0, -1.0])}),
    case("masked", pair(mask=five)),
    case("masked_sum", pair(mask=five), reduction="sum"),
    case("masked_none", pair(mask=five), reduction="none"),
    case("scalar", {"a": randn(), "b": randn(), "target": values([1.0, 1.0])}, error="ShapeError"),
    case("rows_differ", {"a": randn(5, 3), "b": randn(4, 3), "target": signs(5)}, error="ShapeError"),
], differentiable=("a", "b"))


def triplet(a, pos, neg, *rest, reduction="mean", **attrs):
    return over(parts(rest)[0], reduction, F.triplet_margin_loss(a, pos, neg, reduction="none", **attrs)) if rest else F.triplet_margin_loss(a, pos, neg, reduction=reduction, **attrs)


three = lambda n=5, d=3, **more: {"a": randn(n, d), "positive": randn(n, d), "negative": randn(n, d), **more}
op("tripletMarginLoss", triplet, [
    case("mean", three()),
    case("sum", three(), reduction="sum"),
    case("none", three(), reduction="none"),
    case("margin", three(), margin=2.5),
    case("p_1", three(), p=1.0),
    case("p_3", three(), p=3.0),
    case("swap", three(9, 4), swap=True),
    case("eps", three(), eps=0.1),
    case("wide", three(2, 523), margin=9.0),
    case("transposed", {"a": randn(3, 5).permute(1, 0), "positive": randn(5, 3), "negative": randn(5, 3)}),
    case("empty_none", {"a": randn(0, 3), "positive": randn(0, 3), "negative": randn(0, 3)}, reduction="none"),
    case("masked", three(mask=five)),
    case("masked_sum", three(mask=five), reduction="sum"),
    case("masked_none", three(mask=five), reduction="none"),
    case("scalar", {"a": randn(), "positive": randn(2), "negative": randn(3)}, error="ShapeError"),
    case("rows_differ", {"a": randn(5, 3), "positive": randn(4, 3), "negative": randn(5, 3)}, error="ShapeError"),
])

write(__file__)
