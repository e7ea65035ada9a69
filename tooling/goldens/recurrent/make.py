"""Goldens of recurrent layers. Tensor names of weights are PyTorch's state-dict names; `lengths` means a packed batch, padded
back to all steps. `gru_cho` and `gru_bahdanau` are the papers' GRUs, which PyTorch lacks: written out here, one sequence at a time.
Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, randn, uniform, values, write  # noqa: E402

layers = {"lstm": nn.LSTM, "gru": nn.GRU, "gru_cho": nn.GRU, "gru_bahdanau": nn.GRU, "rnn_tanh": nn.RNN, "rnn_relu": nn.RNN}


def make(kind, sizes, options):
    options = {"num_layers": options.get("numLayers", 1), "bias": options.get("bias", True), "bidirectional": options.get("bidirectional", False)}
    return layers[kind](*sizes, **options, **({"nonlinearity": kind[4:]} if kind.startswith("rnn") else {}))


def forward(kind, names, arguments, batchFirst=False, numLayers=1, bias=True, bidirectional=False, **_):
    """The function behind the layer, so that weights are plain inputs with gradients."""
    given = dict(zip(names, arguments))
    if given["x"].dim() == 2:
        alone = [t.unsqueeze(1) if name in ("x", "h0", "c0") else t for name, t in given.items()]
        return {name: t.squeeze(1) for name, t in forward(kind, names, alone, False, numLayers, bias, bidirectional).items()}
    x, weights = given["x"], [t for name, t in given.items() if name.startswith(("weight", "bias"))]
    batch = x.shape[0 if batchFirst else 1]
    hidden = weights[1].shape[1]
    zeros = torch.zeros(numLayers * (2 if bidirectional else 1), batch, hidden, dtype=x.dtype)
    state = [given.get("h0", zeros)] + ([given.get("c0", zeros)] if kind == "lstm" else [])
    run = getattr(torch._VF, kind)
    rest = (weights, bias, numLayers, 0.0, False, bidirectional)
    if "lengths" not in given:
        output, *last = run(x, tuple(state) if kind == "lstm" else state[0], *rest, batchFirst)
    else:
        packed = pack_padded_sequence(x, given["lengths"].long(), batchFirst, enforce_sorted=False)
        state = [s.index_select(1, packed.sorted_indices) for s in state]
        data, *last = run(packed.data, packed.batch_sizes, tuple(state) if kind == "lstm" else state[0], *rest)
        steps = x.shape[1 if batchFirst else 0]
        output, _ = pad_packed_sequence(PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices), batchFirst, total_length=steps)
        last = [s.index_select(1, packed.unsorted_indices) for s in last]
    return dict(zip(("output", "h", "c"), (output, *last)))


def reset_before(kind, names, arguments, batchFirst=False, numLayers=1, bias=True, bidirectional=False, **_):
    """n = tanh(W x + b + U (r h) + b); Cho's z weighs the old state, Bahdanau's the new one."""
    given = dict(zip(names, arguments))
    x = given["x"].transpose(0, 1) if batchFirst else given["x"]
    if x.dim() == 2:
        alone = [t.unsqueeze(1) if name in ("x", "h0") else t for name, t in given.items()]
        return {name: t.squeeze(1) for name, t in reset_before(kind, names, alone, False, numLayers, bias, bidirectional).items()}
    T, B = x.shape[:2]
    H = given["weight_hh_l0"].shape[1]
    lengths = given["lengths"].tolist() if "lengths" in given else [T] * B
    outputs, states = [], []
    for b in range(B):
        sequence, last = list(x[:lengths[b], b]), []
        for k in range(numLayers):
            sides = []
            for suffix in [f"l{k}"] + ([f"l{k}_reverse"] if bidirectional else []):
                (wr, wz, wn), (ur, uz, un) = given[f"weight_ih_{suffix}"].split(H), given[f"weight_hh_{suffix}"].split(H)
                zero = torch.zeros(3 * H, dtype=x.dtype)
                (br, bz, bn), (cr, cz, cn) = given.get(f"bias_ih_{suffix}", zero).split(H), given.get(f"bias_hh_{suffix}", zero).split(H)
                h = given["h0"][len(last), b] if "h0" in given else torch.zeros(H, dtype=x.dtype)
                steps = []
                for v in reversed(sequence) if suffix.endswith("reverse") else sequence:
                    r, z = torch.sigmoid(wr @ v + br + ur @ h + cr), torch.sigmoid(wz @ v + bz + uz @ h + cz)
                    n = torch.tanh(wn @ v + bn + un @ (r * h) + cn)
                    h = (1 - z) * n + z * h if kind == "gru_cho" else (1 - z) * h + z * n
                    steps.append(h)
                last.append(h)
                sides.append(steps[::-1] if suffix.endswith("reverse") else steps)
            sequence = [torch.cat(step) for step in zip(*sides)]
        outputs.append(torch.stack(sequence + [torch.zeros_like(sequence[0])] * (T - lengths[b])))
        states.append(torch.stack(last))
    output = torch.stack(outputs, 1)
    return {"output": output.transpose(0, 1) if batchFirst else output, "h": torch.stack(states, 1)}


def layer(kind, name, T, B, I, H, states=False, lengths=None, **options):
    batch = [] if B is None else [B]
    inputs = {"x": randn(*batch, T, I) if options.get("batchFirst") else randn(T, *batch, I)}
    stacks = options.get("numLayers", 1) * (2 if options.get("bidirectional") else 1)
    if states:
        inputs["h0"] = randn(stacks, *batch, H)
        if kind == "lstm":
            inputs["c0"] = randn(stacks, *batch, H)
    if lengths:
        inputs["lengths"] = values(lengths, torch.int32)
    inputs |= {key: uniform(-0.6, 0.6)(*p.shape) for key, p in make(kind, (I, H), options).named_parameters()}
    return case(name, inputs, **options, sizes=[I, H], names=list(inputs))


for kind in layers:
    cases = [
        layer(kind, "plain", 5, 3, 4, 6),
        layer(kind, "states", 4, 2, 3, 5, states=True),
        layer(kind, "one_sequence", 6, 1, 2, 7),
        layer(kind, "one_step", 1, 3, 5, 4, states=True),
        layer(kind, "one_unit", 3, 2, 1, 1),
        layer(kind, "batch_first", 5, 3, 4, 6, batchFirst=True),
        layer(kind, "no_bias", 3, 2, 4, 5, bias=False),
        *([] if kind.startswith("gru_") else [layer(kind, "wide", 3, 19, 5, 33)]),
        layer(kind, "lengths", 5, 4, 3, 6, lengths=[3, 5, 1, 4]),
        layer(kind, "lengths_states", 6, 3, 3, 5, states=True, lengths=[2, 4, 5], batchFirst=True),
        layer(kind, "bidirectional", 4, 3, 4, 5, bidirectional=True),
        layer(kind, "bidirectional_lengths", 5, 3, 4, 5, states=True, bidirectional=True, lengths=[1, 5, 3]),
        layer(kind, "stacked", 4, 2, 3, 5, numLayers=3, states=True),
        layer(kind, "stacked_bidirectional_lengths", 5, 3, 3, 4, numLayers=2, bidirectional=True, lengths=[4, 2, 5], batchFirst=True, states=True),
        layer(kind, "no_batch", 5, None, 3, 4, numLayers=2, bidirectional=True, states=True),
        layer(kind, "no_batch_no_states", 4, None, 3, 5),
    ]
    run = reset_before if kind.startswith("gru_") else forward
    op(kind, lambda *arguments, names, sizes, **options: run(kind, names, arguments, **options), cases)

write(__file__)
