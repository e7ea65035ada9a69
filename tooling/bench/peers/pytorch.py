"""The workloads in PyTorch. Images are tried in both memory layouts and the faster one is kept."""
import os
import sys

from protocol import Missing, milliseconds, serve

try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError:
    torch = None


def hello(threads):
    if torch is None:
        raise Missing("PyTorch is not installed for this Python (Debian: python3-torch)")
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    blas = "OpenMP OpenBLAS" if "openblas-openmp" in os.environ.get("LD_LIBRARY_PATH", "") else "the system's BLAS"
    return {"version": torch.__version__, "threads": torch.get_num_threads(), "note": blas}


def prepare(spec):
    build = {"sgemm": sgemm, "conv": conv, "net": net, "elementwise": elementwise}[spec["kind"]]
    if spec["kind"] == "conv" or (spec["kind"] == "net" and len(spec["input"]) == 3):
        if "layout" in spec:  # found before: what memory is measured with holds one model, not two
            return build(spec, LAYOUTS[spec["layout"]]), spec["layout"]
        return faster_layout(lambda layout: build(spec, layout))
    return build(spec), None


LAYOUTS = {"NCHW": torch.contiguous_format, "channels last": torch.channels_last} if torch else {}


def faster_layout(build):
    best = None
    for name, layout in LAYOUTS.items():
        step = build(layout)
        step()
        ms = min(milliseconds(step, 1) for _ in range(2))
        if best is None or ms < best[0]:
            best = (ms, step, name)
    return best[1], best[2]


def sgemm(spec):
    n, batch, form = spec["n"], spec["batch"], spec["form"]
    shape = (n, n) if batch == 1 else (batch, n, n)
    a, b, c = torch.randn(shape), torch.randn(shape), torch.empty(shape)
    left = a.transpose(-1, -2) if form == "tn" else a
    right = b.transpose(-1, -2) if form == "nt" else b
    return lambda: torch.matmul(left, right, out=c)


def conv(spec, layout):
    shape = (spec["batch"], spec["in"], spec["size"], spec["size"])
    x = torch.randn(shape).contiguous(memory_format=layout)
    layer = nn.Conv2d(spec["in"], spec["out"], spec["kernel"], spec["stride"], spec["padding"]).to(memory_format=layout)
    if spec["pass"] == "fwd":
        def forward():
            with torch.no_grad():
                layer(x)
        return forward
    x.requires_grad_(spec["inputGrad"])
    with torch.no_grad():
        gradient = torch.randn_like(layer(x), memory_format=layout)

    def step():
        x.grad = layer.weight.grad = layer.bias.grad = None
        layer(x).backward(gradient)
    return step


def module(layer):
    kind = layer["type"]
    if kind == "conv":
        return nn.Conv2d(layer["in"], layer["out"], layer["kernel"], layer["stride"], layer["padding"])
    if kind == "linear":
        return nn.Linear(layer["in"], layer["out"])
    if kind == "maxPool":
        return nn.MaxPool2d(layer["kernel"], layer["stride"])
    if kind == "dropout":
        return nn.Dropout(layer["p"])
    return {"relu": nn.ReLU, "flatten": nn.Flatten}[kind]()


def net(spec, layout=None):
    model = nn.Sequential(*[module(layer) for layer in spec["layers"]])
    x = torch.rand([spec["batch"], *spec["input"]])
    if layout is not None:
        model = model.to(memory_format=layout)
        x = x.contiguous(memory_format=layout)
    if spec["pass"] == "fwd":
        model.eval()

        def forward():
            with torch.no_grad():
                model(x)
        return forward
    target = torch.randint(0, spec["classes"], (spec["batch"],))
    optimizer = torch.optim.SGD(model.parameters(), lr=spec["lr"], momentum=spec["momentum"])

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


def elementwise(spec):
    op, n = spec["op"], spec["n"]
    x = torch.randn(n // 1024, 1024) if op == "softmax" else torch.randn(n)
    y = torch.randn(n) if op == "add" else None
    return {
        "add": lambda: x + y,
        "relu": lambda: torch.relu(x),
        "exp": lambda: torch.exp(x),
        "tanh": lambda: torch.tanh(x),
        "softmax": lambda: torch.softmax(x, -1),
        "sum": lambda: x.sum(),
    }[op]


sys.exit(serve(hello, prepare))
