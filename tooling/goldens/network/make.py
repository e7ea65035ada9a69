"""Goldens of two small networks: results, losses, every gradient, and the weights after some steps of SGD. One is convolutional and learns
classes; the other is the classical one, sigmoid layers under half the squared error.
Tensor names are PyTorch's state-dict names. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

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


def train(x, target, *parameters, lr, steps, momentum=0.0, weightDecay=0.0, make=Net, loss_of=F.cross_entropy):
    net = make().double()
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
            outputs.update({f"grad.{name}": p.grad.clone() for name, p in net.named_parameters()})
        rule.step()
    outputs["losses"] = torch.stack(losses)
    outputs.update({f"trained.{name}": p.detach().clone() for name, p in net.named_parameters()})
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

write(__file__)
