"""Goldens of local response normalisation. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import math
import sys
from pathlib import Path

import torch.nn.functional as F

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, channels_last, op, randn, uniform, values, write  # noqa: E402


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0, form="torch"):
    # The paper's form does not divide by the number of channels.
    return F.local_response_norm(x, size, alpha * size if form == "paper" else alpha, beta, k)


wide = uniform(-3, 3)
op("localResponseNorm", local_response_norm, [
    case("alexnet", {"x": wide(2, 11, 3, 2)}, size=5, k=2.0),
    case("alexnet_paper", {"x": wide(2, 11, 3, 2)}, size=5, k=2.0, form="paper"),
    case("defaults", {"x": wide(1, 7, 2, 3)}, size=5),
    case("strong", {"x": wide(2, 7, 2, 3)}, size=5, alpha=0.5, k=1.0),
    case("even_window", {"x": wide(2, 9, 3)}, size=4, alpha=0.5),
    case("window_of_one", {"x": wide(2, 5, 3)}, size=1, alpha=0.5),
    case("wider_than_channels", {"x": wide(2, 3, 4)}, size=9, alpha=0.5),
    case("other_beta", {"x": wide(2, 6, 3, 2)}, size=3, alpha=0.3, beta=0.6, k=1.5),
    case("beta_one", {"x": wide(2, 6, 3)}, size=3, alpha=0.3, beta=1.0),
    case("one_channel", {"x": wide(3, 1, 4)}, size=5, alpha=0.5),
    case("many_channels", {"x": wide(1, 37, 2, 1)}, size=5, alpha=0.5),
    case("volume", {"x": wide(1, 5, 2, 2, 2)}, size=3, alpha=0.5),
    case("channels_last", {"x": channels_last(2, 6, 3, 2)}, size=5, alpha=0.5),
    case("transposed", {"x": wide(3, 6, 2).permute(2, 1, 0)}, size=5, alpha=0.5),
    case("sliced", {"x": wide(2, 12, 3).slice(1, 1, 12, 2)}, size=3, alpha=0.5),
    case("expanded", {"x": wide(2, 1, 3).expand(2, 4, 3)}, size=3, alpha=0.5),
    case("zeros", {"x": values([[[0.0, 0.0], [0.0, 1.0], [2.0, 0.0]]])}, size=3, alpha=0.5),
    case("not_finite", {"x": values([[[math.nan], [1.0], [2.0], [math.inf], [3.0]]])}, size=3, alpha=0.5, grad=False),
    case("empty", {"x": randn(0, 4, 3)}, size=3),
    case("scalar", {"x": randn()}, error="ShapeError", size=3),
])

write(__file__)
