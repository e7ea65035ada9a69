"""Goldens of optimizers: two parameters, a fixed sequence of gradients, the parameters after every step.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, randn, uniform, values, write  # noqa: E402

STEPS = 30


def trajectory(optimizer):
    """`gw[i]`, `gb[i]`: the gradients of step i. `skip`: steps in which `b` has no gradient at all."""
    def run(w, b, gw, gb, skip=(), **options):
        w, b = (p.detach().clone().requires_grad_() for p in (w, b))
        rule = optimizer([w, b], options)
        ws, bs = [], []
        for i in range(len(gw)):
            w.grad, b.grad = gw[i].clone(), None if i in skip else gb[i].clone()
            rule.step()
            ws.append(w.detach().clone())
            bs.append(b.detach().clone())
        return {"w": torch.stack(ws), "b": torch.stack(bs)}
    return run


def parameters(scale=1.0):
    drawn = uniform(-scale, scale)
    return {"w": randn(3, 2), "b": randn(3), "gw": drawn(STEPS, 3, 2), "gb": drawn(STEPS, 3)}


SCALAR = {"w": values(1.0), "b": values([1.0]), "gw": values([0.5, -0.3, 0.2]), "gb": values([[0.5], [-0.3], [0.2]])}

sgd = trajectory(lambda p, o: torch.optim.SGD(p, lr=o["lr"], momentum=o.get("momentum", 0), dampening=o.get("dampening", 0),
                                              weight_decay=o.get("weightDecay", 0), nesterov=o.get("nesterov", False)))
op("sgd", sgd, [
    case("plain", parameters(), grad=False, lr=0.1),
    case("weight_decay", parameters(), grad=False, lr=0.1, weightDecay=0.05),
    case("momentum", parameters(), grad=False, lr=0.05, momentum=0.9),
    case("momentum_weight_decay", parameters(), grad=False, lr=0.05, momentum=0.9, weightDecay=5e-4),
    case("dampening", parameters(), grad=False, lr=0.05, momentum=0.9, dampening=0.9),
    case("nesterov", parameters(), grad=False, lr=0.05, momentum=0.9, nesterov=True),
    case("nesterov_weight_decay", parameters(), grad=False, lr=0.05, momentum=0.9, nesterov=True, weightDecay=0.01),
    case("missing_gradients", parameters(), grad=False, lr=0.05, momentum=0.9, skip=[0, 3, 4]),
    case("hand_plain", SCALAR, grad=False, lr=0.1),
    case("hand_momentum", SCALAR, grad=False, lr=0.1, momentum=0.9),
    case("hand_dampening", SCALAR, grad=False, lr=0.1, momentum=0.9, dampening=0.9),
    case("hand_nesterov", SCALAR, grad=False, lr=0.1, momentum=0.9, nesterov=True),
])

adam = trajectory(lambda p, o: torch.optim.Adam(p, lr=o["lr"], betas=tuple(o.get("betas", (0.9, 0.999))), eps=o.get("eps", 1e-8),
                                                weight_decay=o.get("weightDecay", 0)))
op("adam", adam, [
    case("plain", parameters(), grad=False, lr=1e-2),
    case("own_betas", parameters(), grad=False, lr=1e-2, betas=[0.5, 0.9]),
    case("large_eps", parameters(), grad=False, lr=1e-2, eps=0.1),
    case("weight_decay", parameters(), grad=False, lr=1e-2, weightDecay=0.05),
    case("all_options", parameters(), grad=False, lr=5e-3, betas=[0.8, 0.99], eps=1e-6, weightDecay=5e-4),
    case("small_gradients", parameters(2.0**-20), grad=False, lr=1e-2),
    case("missing_gradients", parameters(), grad=False, lr=1e-2, skip=[0, 3, 4]),
    case("hand", SCALAR, grad=False, lr=0.1),
])

write(__file__)
