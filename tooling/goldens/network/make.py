"""Golden of a small convolutional network: logits, loss, every gradient, and three steps of SGD with momentum.
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


def train(x, target, *parameters, lr, momentum, weightDecay, steps):
    net = Net().double()
    net.load_state_dict(dict(zip(net.state_dict(), parameters)))
    rule = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum, weight_decay=weightDecay)
    outputs, losses = {}, []
    for step in range(steps):
        rule.zero_grad()
        logits = net(x)
        loss = F.cross_entropy(logits, target)
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

write(__file__)
