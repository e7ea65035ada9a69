"""Goldens of AlexNet: logits and every gradient of the three variants with a 64th of the units, and the logits of the full networks.
61 million weights do not belong in a repository, so weights and images follow from their names: `filled` is repeated in test/alexnet.test.ts.
Tensor names are PyTorch's state-dict names. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, write  # noqa: E402


def filled(name, shape, bound):
    """Numbers in [-bound, bound) from a hash of name and position, rounded to f32."""
    x = np.arange(int(np.prod(shape)), dtype=np.uint32) * np.uint32(0x9E3779B1) + np.uint32(zlib.crc32(name.encode()))
    for shift, factor in ((15, 0x2C1B3C6D), (12, 0x297A2D39)):
        x ^= x >> np.uint32(shift)
        x *= np.uint32(factor)
    x ^= x >> np.uint32(15)
    values = ((x >> np.uint32(8)) / 2.0**23 - 1) * bound
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


class PaperNorm(nn.Module):
    """x / (2 + alpha sum of squares of 5 maps)^0.75; PyTorch divides its alpha by the 5."""

    def __init__(self, form):
        super().__init__()
        self.alpha = 1e-4 * (5 if form == "paper" else 1)

    def forward(self, x):
        return F.local_response_norm(x, 5, self.alpha, 0.75, 2.0)


class Halved(nn.Module):
    """The paper's dropout in evaluation."""

    def forward(self, x):
        return x * 0.5


def network(variant, width, size, lrn, halved, classes):
    units = lambda n: max(2, 2 * int(n * width / 2 + 0.5))  # noqa: E731
    torchvision = variant == "torchvision"
    c1, c2, c3, c4, c5 = map(units, (64, 192, 384, 256, 256) if torchvision else (96, 256, 384, 384, 256))
    hidden, groups = units(4096), 2 if variant == "krizhevsky2012" else 1
    norm = lambda: [] if torchvision else [PaperNorm(lrn)]  # noqa: E731
    features = nn.Sequential(
        nn.Conv2d(3, c1, 11, 4, padding=2 if size == 224 else 0), nn.ReLU(), *norm(), nn.MaxPool2d(3, 2),
        nn.Conv2d(c1, c2, 5, padding=2, groups=groups), nn.ReLU(), *norm(), nn.MaxPool2d(3, 2),
        nn.Conv2d(c2, c3, 3, padding=1), nn.ReLU(),
        nn.Conv2d(c3, c4, 3, padding=1, groups=groups), nn.ReLU(),
        nn.Conv2d(c4, c5, 3, padding=1, groups=groups), nn.ReLU(), nn.MaxPool2d(3, 2))
    drop = Halved if halved else nn.Identity
    fc6, fc7, fc8 = nn.Linear(c5 * 36, hidden), nn.Linear(hidden, hidden), nn.Linear(hidden, classes)
    dense = [drop(), fc6, nn.ReLU(), drop(), fc7, nn.ReLU(), fc8] if torchvision else [fc6, nn.ReLU(), drop(), fc7, nn.ReLU(), drop(), fc8]
    return nn.ModuleDict({"features": features, "avgpool": nn.AdaptiveAvgPool2d(6), "classifier": nn.Sequential(*dense)})


def run(variant, width=1.0, size=224, lrn="paper", halved=False, classes=1000, images=2, gradients=False):
    net = network(variant, width, size, lrn, halved, classes).double()
    for name, p in net.named_parameters():
        # He's bound for weights keeps the signal's size through eight layers.
        p.data = filled(name, p.shape, 0.1 if name.endswith("bias") else (6 / p[0].numel()) ** 0.5).double()
    x = filled("x", (images, 3, size, size), 1).double()
    logits = net["classifier"](net["avgpool"](net["features"](x)).flatten(1))
    outputs = {"logits": logits}
    if gradients:
        F.cross_entropy(logits, torch.arange(images)).backward()
        outputs.update({f"grad.{name}": p.grad for name, p in net.named_parameters()})
    return {name: t.detach() for name, t in outputs.items()}


small = {"width": 1 / 64, "classes": 10, "gradients": True}
op("alexnetSmall", run, [
    case("krizhevsky2012_224", {}, variant="krizhevsky2012", **small),
    case("krizhevsky2012_227_halved", {}, variant="krizhevsky2012", size=227, halved=True, **small),
    case("one_tower_alpha_over_n", {}, variant="one-tower", lrn="torch", **small),
    case("torchvision", {}, variant="torchvision", **small),
])
op("alexnetFull", run, [case(variant, {}, variant=variant) for variant in ("krizhevsky2012", "torchvision")])

write(__file__)
