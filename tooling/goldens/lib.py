"""What every recipe of this folder shares: seeded inputs, strided views, running PyTorch in float64, and the file writer.

A recipe calls `op(name, function, [case(...), ...])` per operation and ends with `write(__file__)`.
Everything is deterministic: the same PyTorch gives the same bytes.
"""

import json
import struct
import zlib
from pathlib import Path

import numpy as np
import torch

# ---- inputs -----------------------------------------------------------------------------------------------------


class Input:
    """Values drawn when the case is known (so that the seed is its name), then the views put on top of them."""

    def __init__(self, draw, view=()):
        self.draw, self.view = draw, list(view)

    def then(self, *step):
        return Input(self.draw, [*self.view, list(step)])

    def permute(self, *dims):
        return self.then("permute", list(dims))

    def slice(self, dim, start, end, step=1):
        return self.then("slice", dim, start, end, step)

    def expand(self, *shape):
        return self.then("expand", list(shape))


def look(base, view):
    """The steps of a view, applied to the stored tensor: a test does the same with its own tensors."""
    for kind, *args in view:
        if kind == "permute":
            base = base.permute(args[0])
        elif kind == "expand":
            base = base.expand(args[0])
        elif kind == "slice":
            dim, start, end, step = args
            base = base[(slice(None),) * dim + (slice(start, end, step),)]
    return base


def randn(*shape):
    return Input(lambda g: torch.randn(shape, generator=g))


def uniform(lo, hi):
    """A drawer of shapes: `uniform(0.5, 2)(3, 4)`."""
    return lambda *shape: Input(lambda g: torch.rand(shape, generator=g) * (hi - lo) + lo)


def distinct(*shape):
    """No two values closer than 0.1, in random order: for max, sort and pooling, where a tie has no single answer."""
    count = int(np.prod(shape))
    return Input(lambda g: ((torch.randperm(count, generator=g) - count // 2) * 0.125 + 0.0625).reshape(shape))


def ints(lo, hi):
    """int32 in [lo, hi)."""
    return lambda *shape: Input(lambda g: torch.randint(lo, hi, shape, generator=g).to(torch.int32))


def bools(*shape):
    return Input(lambda g: torch.rand(shape, generator=g) < 0.5)


def values(data, dtype=torch.float32):
    return Input(lambda g: torch.tensor(data, dtype=dtype))


def channels_last(n, c, h, w, draw=randn):
    """[n,c,h,w] whose memory runs n, h, w, c."""
    return draw(n, h, w, c).permute(0, 3, 1, 2)


# ---- cases ------------------------------------------------------------------------------------------------------

WIDE = {torch.float32: torch.float64, torch.int32: torch.int64}  # what PyTorch computes in
FAILURES = (RuntimeError, IndexError, ValueError, TypeError, AssertionError)
operations = {}


def case(name, inputs, *, error=None, differs=None, grad=True, signed_zero=False, **attrs):
    """`error`: the class that must be thrown. PyTorch has to refuse the case too, unless `differs` says why we alone do.
    `grad=False`: forward only. `signed_zero`: the sign of a zero result is part of the answer."""
    return {"name": name, "inputs": inputs, "attrs": attrs, "error": error, "differs": differs, "grad": grad, "signedZero": signed_zero}


def op(name, function, cases, differentiable=None):
    """`function(*inputs, **attrs)` returns a tensor or a dict of tensors. All float inputs are differentiated,
    unless `differentiable` names some."""
    names = [c["name"] for c in cases]
    assert len(set(names)) == len(names), f"{name}: a case name is used twice"
    tensors, table = {}, {}
    for c in cases:
        table[c["name"]] = run(f"{name}/{c['name']}", function, c, differentiable, tensors)
    operations[name] = (table, tensors)


def generator(label):
    return torch.Generator().manual_seed(zlib.crc32(label.encode()))


def run(label, function, c, differentiable, tensors):
    """Computes one case, adds its tensors, and returns its line of the table."""
    key = c["name"]
    arguments, views = {}, {}
    for name, spec in c["inputs"].items():
        base = spec.draw(generator(f"{label}/{name}"))
        tensors[f"{key}/in/{name}"] = base
        views[name] = spec.view
        arguments[name] = look(base, spec.view).detach()
        arguments[name] = arguments[name].to(WIDE.get(base.dtype, base.dtype))

    line = {"inputs": views, "attrs": jsonable(c["attrs"])}
    if c["differs"]:
        return {**line, "error": c["error"], "differs": c["differs"]}
    if c["error"]:
        try:
            function(*arguments.values(), **c["attrs"])
        except FAILURES:
            return {**line, "error": c["error"]}
        raise AssertionError(f"{label}: PyTorch accepts this case")

    wanted = [n for n, t in arguments.items() if t.is_floating_point() and n in (differentiable or arguments)]
    for name in wanted:
        arguments[name].requires_grad_()
    outputs = function(*arguments.values(), **c["attrs"])
    if isinstance(outputs, torch.Tensor):
        outputs = {"y": outputs}
    for name, y in outputs.items():
        tensors[f"{key}/out/{name}"] = y
    if c["signedZero"]:
        line["signedZero"] = True

    smooth = {n: y for n, y in outputs.items() if y.is_floating_point() and y.requires_grad}
    if c["grad"] and smooth and wanted:
        dy = {n: torch.randn(y.shape, generator=generator(f"{label}/dy/{n}")) for n, y in smooth.items()}
        gradients = torch.autograd.grad(list(smooth.values()), [arguments[n] for n in wanted],
                                        [dy[n].to(y.dtype) for n, y in smooth.items()], allow_unused=True)
        for n in smooth:
            tensors[f"{key}/dy/{n}"] = dy[n]
        for n, gradient in zip(wanted, gradients):
            tensors[f"{key}/grad/{n}"] = torch.zeros_like(arguments[n]) if gradient is None else gradient
    return line


def jsonable(value):
    """JSON has no infinity: it travels as a string."""
    if isinstance(value, dict):
        return {k: jsonable(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [jsonable(v) for v in value]
    return str(value) if isinstance(value, float) and not np.isfinite(value) else value


# ---- the file ---------------------------------------------------------------------------------------------------

CODES = {torch.float64: "F64", torch.float32: "F32", torch.int32: "I32", torch.uint8: "U8", torch.bool: "BOOL"}


def stored(t):
    t = t.detach().contiguous()
    return t.to(torch.int32) if t.dtype == torch.int64 else t


def save(path, tensors, metadata):
    """Writes a safetensors file: u64 header size, JSON header, the bytes. Widest types first, so all are aligned."""
    tensors = {name: stored(t) for name, t in tensors.items()}
    order = sorted(tensors, key=lambda name: (-tensors[name].element_size(), name))
    header, chunks, offset = {"__metadata__": metadata}, [], 0
    for name in order:
        data = tensors[name].numpy().tobytes()
        header[name] = {"dtype": CODES[tensors[name].dtype], "shape": list(tensors[name].shape),
                        "data_offsets": [offset, offset + len(data)]}
        chunks.append(data)
        offset += len(data)
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(chunks))


def write(recipe):
    """One `<op>.safetensors` beside the recipe for each operation it described."""
    folder = Path(recipe).resolve().parent
    for name, (table, tensors) in operations.items():
        path = folder / f"{name}.safetensors"
        save(path, tensors, {
            "op": name,
            "recipe": f"tooling/goldens/{folder.name}/{Path(recipe).name}",
            "torch": torch.__version__,
            "note": "inputs are exact in float32; out and grad were computed in float64",
            "cases": json.dumps(table, separators=(",", ":"), allow_nan=False),
        })
        print(f"{folder.name}/{name}: {len(table)} cases, {path.stat().st_size} bytes")
