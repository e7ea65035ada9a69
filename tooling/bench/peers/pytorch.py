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
    build = {"sgemm": sgemm, "conv": conv, "net": net, "lstm": lstm, "textcnn": textcnn, "transformer": transformer, "elementwise": elementwise, "dispatch": dispatch}[spec["kind"]]
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
    if kind == "lrn":
        return nn.LocalResponseNorm(layer["size"], layer["alpha"], layer["beta"], layer["k"])
    return {"relu": nn.ReLU, "flatten": nn.Flatten}[kind]()


def training(logits, optimizer, spec):
    """One step: gradients of the cross-entropy of logits() with random classes, an update, the loss read back."""
    target = torch.randint(0, spec["classes"], (spec["batch"],))

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(logits(), target)
        loss.backward()
        optimizer.step()
        return loss.item()
    return step


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
    return training(lambda: model(x), torch.optim.SGD(model.parameters(), lr=spec["lr"], momentum=spec["momentum"]), spec)


class LastState(nn.Module if torch else object):
    """Embedding, LSTM, linear layer on the last hidden state."""

    def __init__(self, spec):
        super().__init__()
        self.embedding = nn.Embedding(spec["vocabulary"], spec["embedding"])
        self.lstm = nn.LSTM(spec["embedding"], spec["hidden"], batch_first=True)
        self.head = nn.Linear(spec["hidden"], spec["classes"])

    def forward(self, ids):
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.head(h[0])


def lstm(spec):
    model = LastState(spec)
    ids = torch.randint(0, spec["vocabulary"], (spec["batch"], spec["steps"]))
    return training(lambda: model(ids), torch.optim.Adam(model.parameters(), lr=spec["lr"]), spec)


class TextCnn(nn.Module if torch else object):
    def __init__(self, spec):
        super().__init__()
        self.embedding = nn.Embedding(spec["vocabulary"], spec["dim"])
        self.convolutions = nn.ModuleList(nn.Conv1d(spec["dim"], spec["filters"], k) for k in spec["kernels"])
        self.dropout = nn.Dropout(spec["dropout"])
        self.linear = nn.Linear(len(spec["kernels"]) * spec["filters"], spec["classes"])

    def forward(self, ids):
        x = self.embedding(ids).transpose(1, 2)
        features = [F.relu(conv(x)).max(2).values for conv in self.convolutions]
        return self.linear(self.dropout(torch.cat(features, 1)))


def textcnn(spec):
    model = TextCnn(spec)
    ids = torch.randint(0, spec["vocabulary"], (spec["batch"], spec["length"]))
    return training(lambda: model(ids), torch.optim.Adam(model.parameters(), lr=spec["lr"]), spec)


def positions(length, features):
    t, i = torch.arange(length).unsqueeze(1), torch.arange(0, features, 2)
    angle = t / 10000 ** (i / features)
    return torch.stack([angle.sin(), angle.cos()], -1).reshape(length, features)


def transformer(spec):
    features = spec["features"]
    embedding = nn.Embedding(spec["vocabulary"], features)
    layer = nn.TransformerEncoderLayer(features, spec["heads"], spec["feedForward"], dropout=0.0, batch_first=True)
    encoder = nn.TransformerEncoder(layer, spec["layers"])
    fc = nn.Linear(features, spec["classes"])
    constant = positions(spec["length"], features)
    optimizer = torch.optim.Adam([p for m in (embedding, encoder, fc) for p in m.parameters()], lr=spec["lr"])
    ids = torch.randint(0, spec["vocabulary"], (spec["batch"], spec["length"]))
    return training(lambda: fc(encoder(embedding(ids) + constant).mean(1)), optimizer, spec)


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


def dispatch(spec):
    x, y = torch.randn(1), torch.randn(1)
    x.requires_grad_(spec["recorded"])

    def step():
        for _ in range(spec["ops"]):
            x + y
    return step


sys.exit(serve(hello, prepare))
