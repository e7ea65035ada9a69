"""Goldens of optimizers, schedules and averages: parameters after every step, factors of every update.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import re
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler
from torch.optim.swa_utils import AveragedModel

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, ints, op, randn, uniform, values, write  # noqa: E402

STEPS = 50

# ---- optimizers: two parameters, a fixed sequence of gradients ----------------------------------------------------


def theirs(options):
    """Our names of options as PyTorch's: weightDecay is weight_decay, pairs are tuples."""
    return {re.sub("[A-Z]", lambda m: "_" + m[0].lower(), k): tuple(v) if isinstance(v, list) else v for k, v in options.items()}


def trajectory(optimizer):
    """`gw[i]`, `gb[i]`: the gradients of step i. `skip`: steps in which `b` has no gradient at all. `bias`: options of
    the group of `b`. `cooling`: what all rates are multiplied with after every step."""
    def run(w, b, gw, gb, skip=(), bias=None, cooling=None, **options):
        w, b = (p.detach().clone().requires_grad_() for p in (w, b))
        rule = optimizer([{"params": [w]}, {"params": [b], **theirs(bias or {})}], **theirs(options))
        ws, bs = [], []
        for i in range(len(gw)):
            w.grad, b.grad = gw[i].clone(), None if i in skip else gb[i].clone()
            rule.step()
            ws.append(w.detach().clone())
            bs.append(b.detach().clone())
            for group in rule.param_groups if cooling else []:
                group["lr"] *= cooling
        return {"w": torch.stack(ws), "b": torch.stack(bs)}
    return run


def parameters(scale=1.0):
    drawn = uniform(-scale, scale)
    return {"w": randn(3, 2), "b": randn(3), "gw": drawn(STEPS, 3, 2), "gb": drawn(STEPS, 3)}


def one(name, inputs=None, **options):
    return case(name, inputs or parameters(), grad=False, **options)


SCALAR = {"w": values(1.0), "b": values([1.0]), "gw": values([0.5, -0.3, 0.2]), "gb": values([[0.5], [-0.3], [0.2]])}


def usual(lr, **bias):
    """What every optimizer is asked: decay, groups, rates that change, gradients that are missing or small."""
    return [
        one("plain", lr=lr),
        one("weight_decay", lr=lr, weightDecay=0.05),
        one("groups", lr=lr, weightDecay=0.01, bias={"lr": 3 * lr, "weightDecay": 0.1, **bias}),
        one("changing_rate", lr=lr, weightDecay=0.01, cooling=0.95),
        one("missing_gradients", lr=lr, skip=[0, 3, 4]),
        one("small_gradients", parameters(2.0**-20), lr=lr),
        one("hand", SCALAR, lr=0.1),
    ]


op("sgd", trajectory(torch.optim.SGD), [
    *usual(0.1, momentum=0.5),
    one("momentum", lr=0.05, momentum=0.9),
    one("momentum_weight_decay", lr=0.05, momentum=0.9, weightDecay=5e-4),
    one("momentum_changing_rate", lr=0.05, momentum=0.9, cooling=0.95),
    one("momentum_missing_gradients", lr=0.05, momentum=0.9, skip=[0, 3, 4]),
    one("dampening", lr=0.05, momentum=0.9, dampening=0.9),
    one("nesterov", lr=0.05, momentum=0.9, nesterov=True),
    one("nesterov_weight_decay", lr=0.05, momentum=0.9, nesterov=True, weightDecay=0.01),
    one("hand_momentum", SCALAR, lr=0.1, momentum=0.9),
    one("hand_dampening", SCALAR, lr=0.1, momentum=0.9, dampening=0.9),
    one("hand_nesterov", SCALAR, lr=0.1, momentum=0.9, nesterov=True),
])


def ema(groups, lr, beta=0.9, weight_decay=0):
    """A running mean is classical momentum at the rate lr(1 − β)."""
    for g in groups:
        g["momentum"] = g.pop("beta", beta)
        g["lr"] = g.get("lr", lr) * (1 - g["momentum"])
    return torch.optim.SGD(groups, lr=lr, weight_decay=weight_decay)


op("momentumEMA", trajectory(ema), [*usual(0.1, beta=0.5), one("own_beta", lr=0.1, beta=0.75)])

op("rmsprop", trajectory(torch.optim.RMSprop), [
    *(c | {"attrs": {"alpha": 0.99} | c["attrs"]} for c in usual(1e-2, alpha=0.8, eps=1e-3)),
    one("own_alpha", lr=1e-2, alpha=0.9, eps=1e-3),
    one("centered", lr=1e-2, alpha=0.9, centered=True),
    one("momentum", lr=1e-2, alpha=0.9, momentum=0.9, weightDecay=0.01),
    one("centered_momentum", lr=1e-3, alpha=0.99, centered=True, momentum=0.8, weightDecay=0.01, eps=1e-4, bias={"momentum": 0.5}),
    one("momentum_missing_gradients", lr=1e-2, alpha=0.9, momentum=0.9, skip=[0, 3, 4]),
])

op("adagrad", trajectory(lambda groups, initial_accumulator=0, **o: torch.optim.Adagrad(groups, initial_accumulator_value=initial_accumulator, **o)), [
    *usual(0.1, eps=1e-2),
    one("lr_decay", lr=0.1, lrDecay=0.1),
    one("initial_accumulator", lr=0.1, initialAccumulator=0.5),
    one("all_options", lr=0.1, lrDecay=0.01, eps=1e-3, weightDecay=0.05),
])

op("adadelta", trajectory(torch.optim.Adadelta), [
    *usual(1.0, rho=0.5),
    one("paper", lr=1.0, rho=0.95),
    one("all_options", lr=0.5, rho=0.95, eps=1e-3, weightDecay=0.05),
])

adaptive = [
    one("own_betas", lr=1e-2, betas=[0.5, 0.9]),
    one("large_eps", lr=1e-2, eps=0.1),
    one("all_options", lr=5e-3, betas=[0.8, 0.99], eps=1e-6, weightDecay=5e-4),
]
op("adam", trajectory(torch.optim.Adam), [
    *usual(1e-2, betas=[0.7, 0.95]), *adaptive,
    one("amsgrad", lr=1e-2, amsgrad=True, betas=[0.9, 0.9]),
    one("amsgrad_weight_decay", lr=1e-2, amsgrad=True, weightDecay=0.05, skip=[0, 3, 4]),
])
op("adamw", trajectory(torch.optim.AdamW), [
    *usual(1e-2, betas=[0.7, 0.95]), *adaptive,
    one("amsgrad", lr=1e-2, amsgrad=True, weightDecay=0.1, betas=[0.9, 0.9]),
])
op("adamax", trajectory(torch.optim.Adamax), [*usual(1e-2, betas=[0.7, 0.95]), *adaptive])


def in_float64(function):
    """NAdam keeps its product of momenta in the default type."""
    def run(*inputs, **options):
        torch.set_default_dtype(torch.float64)
        try:
            return function(*inputs, **options)
        finally:
            torch.set_default_dtype(torch.float32)
    return run


# foreach: the other path of 1.13 multiplies one momentum twice, against the formula in its own documentation.
op("nadam", in_float64(trajectory(lambda groups, **o: torch.optim.NAdam(groups, foreach=True, **o))), [
    *usual(1e-2, betas=[0.7, 0.95]), *adaptive,
    one("momentum_decay", lr=1e-2, momentumDecay=0.1),
    one("no_momentum_decay", lr=1e-2, momentumDecay=0.0),
])
op("radam", trajectory(torch.optim.RAdam), [*usual(1e-2, betas=[0.7, 0.95]), *adaptive])

# ---- sparse gradients: an embedding whose rows are read now and then ------------------------------------------------


def sparse(weight, ids, dy, rule, paddingIdx=None, initialAccumulator=0, **options):
    """`ids[i]`, `dy[i]`: what step i looks up, and the gradient that comes back. In lazy Adam ε stands elsewhere (it is
    added to √v, not √v̂), so the cases have one that is below rounding."""
    rules = {"sgd": torch.optim.SGD, "adam": torch.optim.SparseAdam,
             "adagrad": lambda p, **o: torch.optim.Adagrad(p, initial_accumulator_value=initialAccumulator, **o)}
    weight = weight.detach().clone().requires_grad_()
    optimizer = rules[rule]([weight], **theirs(options))
    path = []
    for i in range(len(ids)):
        optimizer.zero_grad()
        F.embedding(ids[i].long(), weight, padding_idx=paddingIdx, sparse=True).backward(dy[i])
        assert weight.grad.is_sparse
        optimizer.step()
        path.append(weight.detach().clone())
    return torch.stack(path)


def lookups(name, rule, **options):
    return case(name, {"weight": randn(9, 3), "ids": ints(0, 9)(STEPS, 4), "dy": uniform(-1, 1)(STEPS, 4, 3)}, grad=False, rule=rule, **options)


op("sparse", sparse, [
    lookups("sgd", "sgd", lr=0.1),
    lookups("sgd_padding", "sgd", lr=0.1, paddingIdx=2),
    lookups("adagrad", "adagrad", lr=0.1),
    lookups("adagrad_options", "adagrad", lr=0.1, lrDecay=0.1, initialAccumulator=0.5, eps=1e-3),
    lookups("adagrad_padding", "adagrad", lr=0.1, paddingIdx=0),
    lookups("adam", "adam", lr=1e-2, eps=1e-20),
    lookups("adam_betas", "adam", lr=1e-2, eps=1e-20, betas=[0.5, 0.9]),
])

# ---- L-BFGS: logistic regression with an L2 term; and a bent valley ---------------------------------------------------


def lbfgs_rule(params, options):
    options = theirs(options)
    if "line_search" in options:
        options["line_search_fn"] = {"strongWolfe": "strong_wolfe", "none": None}[options.pop("line_search")]
    return torch.optim.LBFGS(params, **options)


def lbfgs(w, b, x, target, steps, **options):
    w, b = (p.detach().clone().requires_grad_() for p in (w, b))
    rule = lbfgs_rule([w, b], options)

    def closure():
        rule.zero_grad()
        z = x @ w + b
        loss = F.softplus(z).mean() - (z * target).mean() + 0.01 * (w.square().sum() + b.square().sum())
        loss.backward()
        return loss

    losses, ws, bs = [], [], []
    for _ in range(steps):
        losses.append(float(rule.step(closure)))
        ws.append(w.detach().clone())
        bs.append(b.detach().clone())
    evaluations = torch.tensor([rule.state[w]["func_evals"], rule.state[w]["n_iter"]], dtype=torch.int32)
    return {"w": torch.stack(ws), "b": torch.stack(bs), "losses": torch.tensor(losses, dtype=torch.float64), "counts": evaluations}


def logistic(**options):
    return {"inputs": {"w": randn(4, 1), "b": randn(1), "x": randn(20, 4), "target": values([[float(i % 3 == 0)] for i in range(20)])}, **options}


op("lbfgs", lbfgs, [case(name, grad=False, **logistic(**options)) for name, options in {
    "plain": dict(steps=4, maxIter=4, lr=0.5),
    "full_step": dict(steps=3, maxIter=5),
    "short_history": dict(steps=5, maxIter=3, lr=0.5, historySize=2),
    "few_evaluations": dict(steps=4, maxIter=8, maxEval=3, lr=0.5),
    "strong_wolfe": dict(steps=3, maxIter=4, lineSearch="strongWolfe"),
    "strong_wolfe_long_first": dict(steps=2, maxIter=3, lr=40.0, lineSearch="strongWolfe"),
    "strong_wolfe_short_first": dict(steps=2, maxIter=3, lr=0.01, lineSearch="strongWolfe"),
    "one_iteration": dict(steps=10, maxIter=1, maxEval=1, lr=0.5),
}.items()])


def valley(w, steps, **options):
    """Rosenbrock's function, chained: Σ 100(wᵢ₊₁ − wᵢ²)² + (1 − wᵢ)²."""
    w = w.detach().clone().requires_grad_()
    rule = lbfgs_rule([w], options)

    def closure():
        rule.zero_grad()
        loss = (100 * (w[1:] - w[:-1].square()).square() + (1 - w[:-1]).square()).sum()
        loss.backward()
        return loss

    losses, ws = [], []
    for _ in range(steps):
        losses.append(float(rule.step(closure)))
        ws.append(w.detach().clone())
    evaluations = torch.tensor([rule.state[w]["func_evals"], rule.state[w]["n_iter"]], dtype=torch.int32)
    return {"w": torch.stack(ws), "losses": torch.tensor(losses, dtype=torch.float64), "counts": evaluations}


start = {"w": values([-1.2, 1.0, 0.5, -0.75, 1.25, -0.5])}
op("lbfgsValley", valley, [
    case("fixed_step", start, grad=False, steps=STEPS, maxIter=1, lr=0.05),
    case("strong_wolfe", start, grad=False, steps=STEPS, maxIter=1, historySize=10, lineSearch="strongWolfe"),
    case("strong_wolfe_short_history", start, grad=False, steps=STEPS, maxIter=1, historySize=3, lineSearch="strongWolfe"),
])

# ---- schedules: the rate over a base rate of 1 ----------------------------------------------------------------------

UPDATES = 50
schedulers = {
    "stepDecay": lambda o, every, gamma: lr_scheduler.StepLR(o, every, gamma),
    "multiStep": lambda o, milestones, gamma: lr_scheduler.MultiStepLR(o, milestones, gamma),
    "exponential": lambda o, gamma: lr_scheduler.ExponentialLR(o, gamma),
    "cosine": lambda o, total, floor: lr_scheduler.CosineAnnealingLR(o, total, floor),
    "warmRestarts": lambda o, first, mult, floor: lr_scheduler.CosineAnnealingWarmRestarts(o, first, mult, floor),
    "linear": lambda o, total, **k: lr_scheduler.LinearLR(o, k["from"], k["to"], total),
    "warmup": lambda o, steps: lr_scheduler.LinearLR(o, 1 / steps, 1, steps - 1),
    "polynomial": lambda o, total, power: lr_scheduler.PolynomialLR(o, total, power),
    "lambda": lambda o: lr_scheduler.LambdaLR(o, lambda t: 1 / (1 + t)),
    "oneCycle": lambda o, total, pctStart, divFactor, finalDivFactor, anneal, threePhase: lr_scheduler.OneCycleLR(
        o, 1.0, total_steps=total, pct_start=pctStart, div_factor=divFactor, final_div_factor=finalDivFactor,
        anneal_strategy=anneal, three_phase=threePhase),
    "sequence": lambda o, every, gamma, after, milestone: lr_scheduler.SequentialLR(
        o, [lr_scheduler.StepLR(o, every, gamma), lr_scheduler.ExponentialLR(o, after)], [milestone]),
}


def factors(kind, updates=UPDATES, **options):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0, momentum=0.9)
    scheduler = schedulers[kind](optimizer, **options)
    found = []
    for _ in range(updates):
        found.append(optimizer.param_groups[0]["lr"])
        if len(found) < updates:
            optimizer.step()
            scheduler.step()
    return torch.tensor(found, dtype=torch.float64)


def schedule(name, kind, **options):
    return case(name, {}, grad=False, kind=kind, **options)


cycle = {"total": UPDATES, "pctStart": 0.3, "divFactor": 25.0, "finalDivFactor": 1e4, "anneal": "cos", "threePhase": False}
op("schedule", factors, [
    schedule("stepDecay", "stepDecay", every=7, gamma=0.5),
    schedule("multiStep", "multiStep", milestones=[5, 20, 20, 33], gamma=0.5),
    schedule("exponential", "exponential", gamma=0.93),
    schedule("cosine", "cosine", total=UPDATES - 1, floor=0.0),
    schedule("cosine_floor", "cosine", total=UPDATES - 1, floor=0.1),
    schedule("warmRestarts", "warmRestarts", first=8, mult=1, floor=0.0),
    schedule("warmRestarts_mult", "warmRestarts", first=6, mult=2, floor=0.05),
    schedule("warmRestarts_mult_3", "warmRestarts", first=3, mult=3, floor=0.0),
    schedule("linear", "linear", total=30, **{"from": 1 / 3, "to": 1.0}),
    schedule("linear_down", "linear", total=30, **{"from": 1.0, "to": 0.1}),
    schedule("warmup", "warmup", steps=10),
    schedule("polynomial", "polynomial", total=40, power=1.0),
    schedule("polynomial_square", "polynomial", total=40, power=2.0),
    schedule("lambda", "lambda"),
    schedule("oneCycle", "oneCycle", **cycle),
    schedule("oneCycle_linear", "oneCycle", **{**cycle, "anneal": "linear", "pctStart": 0.45, "divFactor": 10.0, "finalDivFactor": 100.0}),
    schedule("oneCycle_three_phases", "oneCycle", **{**cycle, "threePhase": True}),
    schedule("sequence", "sequence", every=3, gamma=0.5, after=0.9, milestone=20),
])


def plateau(measures, **options):
    options = theirs(options)
    options["min_lr"] = options.pop("min_factor", 0.0)
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
    scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, **options)
    found = []
    for measure in measures:
        scheduler.step(float(measure))
        found.append(optimizer.param_groups[0]["lr"])
    return torch.tensor(found, dtype=torch.float64)


def measures():
    """Falls, then hovers."""
    return {"measures": values([2 / (1 + i) if i < 12 else 0.17 + 0.01 * ((i * 7) % 5 - 2) for i in range(UPDATES)])}


op("plateau", plateau, [
    case("plain", measures(), grad=False),
    case("impatient", measures(), grad=False, patience=2, factor=0.5),
    case("cooldown", measures(), grad=False, patience=2, factor=0.5, cooldown=3),
    case("threshold", measures(), grad=False, patience=3, threshold=0.3),
    case("absolute", measures(), grad=False, patience=3, threshold=0.05, thresholdMode="abs"),
    case("max", measures(), grad=False, patience=4, mode="max", factor=0.7),
    case("max_absolute", measures(), grad=False, patience=4, mode="max", thresholdMode="abs", threshold=0.5),
    case("floor", measures(), grad=False, patience=1, factor=0.5, minFactor=0.1),
    case("small_changes", measures(), grad=False, patience=1, factor=0.5, eps=0.2),
])

# ---- averages of weights ----------------------------------------------------------------------------------------------


def average(path, kind, decay=None):
    model = torch.nn.Linear(path.shape[2], path.shape[1], bias=False).double()
    mean = AveragedModel(model, avg_fn=None if kind == "swa" else lambda a, w, _: decay * a + (1 - decay) * w)
    found = []
    for w in path:
        model.weight.data.copy_(w)
        mean.update_parameters(model)
        found.append(mean.module.weight.detach().clone())
    return torch.stack(found)


op("weightAverage", average, [
    case("swa", {"path": randn(STEPS, 3, 2)}, grad=False, kind="swa"),
    case("ema", {"path": randn(STEPS, 3, 2)}, grad=False, kind="ema", decay=0.9),
    case("ema_slow", {"path": randn(STEPS, 3, 2)}, grad=False, kind="ema", decay=0.999),
])

write(__file__)
