"""Goldens of scaled dot-product attention, from softmax and products: PyTorch 1.13 has no public function for it.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import bools, case, op, randn, values, write  # noqa: E402


def attention(q, k, v, mask=None, causal=False, scale=None):
    """As torch.nn.functional.scaled_dot_product_attention of later versions, but 0 instead of NaN for a query that sees no key."""
    scores = q @ k.transpose(-2, -1) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    visible = torch.ones_like(scores, dtype=torch.bool)
    if causal:
        visible = visible.tril()
    if mask is not None and mask.dtype == torch.bool:
        visible = visible & mask
    elif mask is not None:
        scores, visible = scores + mask, visible & (mask > -math.inf)
    lost = ~visible.any(-1, keepdim=True)
    return scores.masked_fill(~visible & ~lost, -math.inf).masked_fill(lost, 0).softmax(-1).masked_fill(lost, 0) @ v


def heads(b, h, t, d, s=None, e=None, **more):
    s, e = t if s is None else s, d if e is None else e
    return {"q": randn(b, h, t, d), "k": randn(b, h, s, d), "v": randn(b, h, s, e), **more}


def projected(b, t, h, d):
    """[b,h,t,d] as a projection of [b,t,h·d] gives it."""
    return randn(b, t, h, d).permute(0, 2, 1, 3)


hide = -math.inf
op("scaledDotProductAttention", attention, [
    case("plain", heads(2, 3, 5, 4)),
    case("cross", heads(2, 2, 3, 4, s=7)),
    case("other_value_size", heads(1, 2, 4, 6, s=3, e=5)),
    case("one_query", heads(2, 2, 1, 8, s=9)),
    case("one_key", heads(2, 2, 3, 8, s=1), grad=False),
    case("tile_and_one", heads(1, 1, 65, 9, s=66)),
    case("three_tiles", heads(1, 1, 129, 4, s=131)),
    case("wide", heads(1, 1, 2, 70, s=67, e=67)),
    case("causal", heads(2, 1, 6, 4), causal=True),
    case("causal_fewer_keys", heads(1, 1, 7, 4, s=4), causal=True),
    case("causal_more_keys", heads(1, 2, 4, 4, s=7), causal=True),
    case("causal_tiles", heads(1, 1, 67, 3, s=140), causal=True),
    case("causal_fewer_keys_tiles", heads(1, 1, 140, 3, s=67), causal=True),
    case("scaled", heads(1, 2, 4, 4), scale=0.25),
    case("negative_scale", heads(1, 2, 4, 4), scale=-1.0),
    case("additive", heads(2, 2, 3, 4, s=5, mask=randn(3, 5))),
    case("additive_per_head", heads(2, 2, 3, 4, s=5, mask=randn(1, 2, 1, 5))),
    case("additive_causal", heads(2, 2, 5, 4, mask=randn(2, 1, 5, 5)), causal=True),
    case("bool", heads(2, 2, 3, 4, s=20, mask=bools(3, 20))),
    case("bool_keys", heads(2, 2, 3, 4, s=4, mask=values([[[[True, True, False, False]]], [[[False, True, True, True]]]], torch.bool))),
    case("all_hidden", heads(2, 2, 2, 4, s=3, mask=values([[[[True, False, True]]], [[[False, False, False]]]], torch.bool))),
    case("some_hidden", {**heads(1, 1, 3, 4), "mask": values([[0.0, hide, 1.0], [hide, hide, hide], [0.5, 0.0, hide]])}),
    case("first_tile_hidden", {**heads(1, 1, 2, 4, s=70), "mask": values([[False] * 66 + [True] * 4, [True] * 70], torch.bool)}),
    case("large", {"q": values([[[[100.0, 0.0], [0.0, -100.0]]]]), "k": values([[[[100.0, 0.0], [0.0, 100.0]]]]), "v": randn(1, 1, 2, 3)}, grad=False),
    case("no_heads", {"q": randn(2, 3, 4), "k": randn(2, 5, 4), "v": randn(2, 5, 6)}),
    case("projected", {"q": projected(2, 5, 3, 8), "k": projected(2, 6, 3, 8), "v": projected(2, 6, 3, 8)}),
    case("sliced", {"q": randn(1, 2, 3, 8).slice(3, 0, 8, 2), "k": randn(1, 2, 10, 4).slice(2, 0, 10, 2), "v": randn(1, 2, 5, 4)}),
    case("expanded", {"q": randn(1, 1, 3, 4).expand(2, 3, 3, 4), "k": randn(2, 3, 5, 4), "v": randn(2, 1, 5, 4).expand(2, 3, 5, 4)}),
    case("no_batch", heads(0, 2, 3, 4)),
    case("no_query", heads(2, 2, 0, 4, s=3)),
    case("no_key", heads(2, 2, 3, 4, s=0)),
    case("scalar", {"q": randn(), "k": randn(), "v": randn()}, error="ShapeError"),
    case("sizes_differ", {"q": randn(1, 1, 3, 4), "k": randn(1, 1, 3, 5), "v": randn(1, 1, 3, 5)}, error="ShapeError"),
    case("keys_and_values_differ", {"q": randn(1, 1, 3, 4), "k": randn(1, 1, 3, 4), "v": randn(1, 1, 2, 4)}, error="ShapeError"),
    case("other_mask", heads(1, 2, 3, 4, mask=randn(2, 4)), error="ShapeError"),
])

write(__file__)
