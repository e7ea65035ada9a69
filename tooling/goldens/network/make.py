"""Goldens of small networks: results, losses, every gradient, and the weights after some steps of SGD. One is convolutional and learns
classes; one is the classical one, sigmoid layers under half the squared error; the last is LeNet-5.
Tensor names are PyTorch's state-dict names. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, ints, op, randn, uniform, write  # noqa: E402


class Net(nn.Module):
    """Padded convolution, overlapping max pooling, a grouped convolution, two dense layers."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2), nn.ReLU())
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(6 * 2 * 2, 8), nn.Tanh(), nn.Linear(8, 5))

    def forward(self, x):
        return self.classifier(self.features(x))


def train(x, target, *parameters, lr, steps, momentum=0.0, weightDecay=0.0, make=Net, loss_of=F.cross_entropy, shown=torch.clone):
    net = make().double()
    if parameters:
        net.load_state_dict(dict(zip(net.state_dict(), parameters)))
    rule = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum, weight_decay=weightDecay)
    outputs, losses = {}, []
    for step in range(steps):
        rule.zero_grad()
        logits = net(x)
        loss = loss_of(logits, target)
        loss.backward()
        losses.append(loss.detach())
        if step == 0:
            outputs["logits"] = logits.detach()
            outputs.update({f"grad.{name}": shown(p.grad) for name, p in net.named_parameters()})
        rule.step()
    outputs["losses"] = torch.stack(losses)
    outputs.update({f"trained.{name}": shown(p.detach()) for name, p in net.named_parameters()})
    return outputs


weights = {name: uniform(-0.5, 0.5)(*p.shape) for name, p in Net().named_parameters()}
op("convNet", train, [
    case("three_steps", {"x": randn(3, 2, 8, 8), "target": ints(0, 5)(3), **weights}, grad=False,
         lr=0.1, momentum=0.9, weightDecay=5e-4, steps=3),
])


def sigmoids():
    """Three layers, each followed by a sigmoid."""
    sizes = (6, 9, 7, 3)
    return nn.Sequential(*[m for a, b in zip(sizes, sizes[1:]) for m in (nn.Linear(a, b), nn.Sigmoid())])


def half_squares(y, target):
    return ((y - target) ** 2).sum() / 2 / len(y)


weights = {name: uniform(-0.8, 0.8)(*p.shape) for name, p in sigmoids().named_parameters()}
op("mlp", lambda *inputs, **attrs: train(*inputs, **attrs, make=sigmoids, loss_of=half_squares), [
    case("five_steps", {"x": randn(5, 6), "target": uniform(0.1, 0.9)(5, 3), **weights}, grad=False, lr=0.5, steps=5),
])


class LeNet5(nn.Module):
    """LeCun 1998, with the second convolution reading all maps."""

    def __init__(self, activation, pool, size):
        super().__init__()
        act = {"tanh": nn.Tanh, "relu": nn.ReLU}[activation]
        half = {"avg": nn.AvgPool2d, "max": nn.MaxPool2d}[pool]
        self.features = nn.Sequential(
            nn.Conv2d(1, 6, 5, padding=2 if size == 28 else 0), act(), half(2), nn.Conv2d(6, 16, 5), act(), half(2), nn.Flatten())
        self.classifier = nn.Sequential(nn.Linear(400, 120), act(), nn.Linear(120, 84), act(), nn.Linear(84, 10))

    def forward(self, x):
        return self.classifier(self.features(x))


def spread(net):
    """Start values that need no file: (k 2654435761 mod 2^32) / 2^32 of all numbers k in their order, spread over +-1/sqrt(fan in), biases over +-0.1."""
    first = 0
    for p in net.parameters():
        k = np.arange(first, first + p.numel(), dtype=np.int64)
        u = (k * 2654435761 % 2**32) / 2**32 * 2 - 1
        bound = 0.1 if p.dim() == 1 else (p.numel() / len(p)) ** -0.5
        p.data = torch.tensor((u * bound).astype(np.float32)).reshape(p.shape)
        first += p.numel()
    return net


def outline(p):
    """Large matrices by the sums of their rows and of their columns."""
    return p.clone() if p.numel() < 5000 else torch.cat([p.sum(1), p.sum(0)])


def lenet5(x, target, activation, pool, size, **options):
    return train(x, target, **options, make=lambda: spread(LeNet5(activation, pool, size)), shown=outline)


op("lenet5", lenet5, [
    case(f"{activation}_{pool}_{size}", {"x": uniform(0, 1)(3, 1, size, size), "target": ints(0, 10)(3)}, grad=False,
         activation=activation, pool=pool, size=size, lr=0.05, momentum=0.9, steps=3)
    for activation, pool, size in [("tanh", "avg", 28), ("relu", "max", 32)]
])

write(__file__)
