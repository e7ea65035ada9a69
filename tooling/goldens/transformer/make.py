"""Goldens of multi-head attention and Transformer encoders: results, and every gradient of Σ y·dy.
Parameters are named as in PyTorch's state dicts. Run with PyTorch 1.13.1 from anywhere: `python3 make.py`."""

import sys
from pathlib import Path

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from lib import case, op, randn, uniform, values, write  # noqa: E402


def with_gradients(module, named, inputs, call):
    """Loads `named` parameters, and gives y, what else `call` returns, and gradients of inputs and parameters."""
    module = module.double()
    module.load_state_dict(named)
    for x in inputs.values():
        x.requires_grad_()
    dy, (y, more) = call(module)
    (y * dy).sum().backward()
    gradients = {f"grad.{n}": t.grad for n, t in [*inputs.items(), *module.named_parameters()]}
    return {"y": y.detach(), **{n: t.detach() for n, t in more.items()}, **gradients}


def parameters(module):
    """Random ones: PyTorch's own start with zeros where a mistake would not show."""
    return {n: uniform(-0.5, 0.5)(*p.shape) for n, p in module.named_parameters()}


def attention_case(name, e, heads, query, key=None, value=None, *, padding=None, mask=None, needWeights=False, averageWeights=True, **options):
    make = lambda: nn.MultiheadAttention(e, heads, **{"batch_first" if k == "batchFirst" else k: v for k, v in options.items()})
    inputs = {"query": randn(*query), **({"key": randn(*key)} if key else {}), **({"value": randn(*value)} if value else {})}
    masks = {**({"keyPaddingMask": padding} if padding else {}), **({"attnMask": mask} if mask else {})}
    attrs = dict(embedDim=e, numHeads=heads, options=options, needWeights=needWeights, averageWeights=averageWeights)
    return make, case(name, {**inputs, **masks, "dy": randn(*query), **parameters(make())}, grad=False, **attrs)


def attend(make, arguments, needWeights, averageWeights):
    masks = {n: arguments.pop(n) for n in ("keyPaddingMask", "attnMask") if n in arguments}
    inputs = {n: arguments.pop(n) for n in ("query", "key", "value") if n in arguments}
    dy = arguments.pop("dy")

    def call(module):
        query = inputs["query"]
        key = inputs.get("key", query)
        y, weights = module(query, key, inputs.get("value", key), key_padding_mask=masks.get("keyPaddingMask"),
                            attn_mask=masks.get("attnMask"), need_weights=True, average_attn_weights=averageWeights)
        return dy, (y, {"weights": weights} if needWeights else {})

    return with_gradients(make(), arguments, inputs, call)


hidden = lambda rows: values(rows, torch.bool)
triangle = [[j > i for j in range(5)] for i in range(5)]
attention_cases = [
    attention_case("self", 6, 2, (5, 3, 6)),
    attention_case("batch_first", 6, 3, (3, 5, 6), batchFirst=True),
    attention_case("one_head", 5, 1, (2, 3, 5), batchFirst=True),
    attention_case("cross", 6, 2, (2, 3, 6), (2, 7, 6), batchFirst=True),
    attention_case("three_inputs", 4, 2, (3, 2, 4), (5, 2, 4), (5, 2, 4)),
    attention_case("other_sizes", 4, 2, (2, 3, 4), (2, 5, 3), (2, 5, 7), batchFirst=True, kdim=3, vdim=7),
    attention_case("no_bias", 6, 2, (2, 5, 6), batchFirst=True, bias=False),
    attention_case("no_batch", 6, 2, (5, 6)),
    attention_case("padding", 6, 2, (3, 5, 6), batchFirst=True, padding=hidden([[False] * 5, [False] * 3 + [True] * 2, [True] + [False] * 4])),
    attention_case("padding_added", 6, 2, (2, 5, 6), batchFirst=True, padding=randn(2, 5)),
    attention_case("mask", 6, 2, (5, 2, 6), mask=hidden(triangle)),
    attention_case("mask_added", 6, 2, (5, 2, 6), mask=randn(5, 5)),
    attention_case("mask_per_head", 4, 2, (3, 2, 4), mask=randn(4, 3, 3)),
    attention_case("mask_and_padding", 6, 2, (2, 5, 6), batchFirst=True, mask=hidden(triangle), padding=hidden([[False] * 5, [False] * 3 + [True] * 2])),
    attention_case("weights", 6, 2, (2, 5, 6), batchFirst=True, needWeights=True),
    attention_case("weights_per_head", 6, 3, (5, 2, 6), needWeights=True, averageWeights=False, padding=hidden([[False] * 5, [False] * 3 + [True] * 2])),
    attention_case("no_batch_weights", 4, 2, (3, 4), (5, 4), needWeights=True),
    attention_case("tiles", 8, 2, (1, 67, 8), batchFirst=True),
]
makers = iter(attention_cases)


def layer(d, heads, options):
    torch_names = {"dimFeedforward": "dim_feedforward", "batchFirst": "batch_first", "normFirst": "norm_first", "layerNormEps": "layer_norm_eps"}
    return nn.TransformerEncoderLayer(d, heads, dropout=0.0, **{torch_names.get(k, k): v for k, v in options.items()})


def encoder(d, heads, layers, finalNorm, options):
    return nn.TransformerEncoder(layer(d, heads, options), layers, nn.LayerNorm(d) if finalNorm else None)


def encoder_case(name, d, heads, x, layers=1, finalNorm=False, padding=None, mask=None, **options):
    masks = {**({"keyPaddingMask": padding} if padding else {}), **({"attnMask": mask} if mask else {})}
    named = parameters(encoder(d, heads, layers, finalNorm, options))
    return case(name, {"x": randn(*x), **masks, "dy": randn(*x), **named}, grad=False, dModel=d, nHead=heads, layers=layers, finalNorm=finalNorm, options=options)


encoder_cases = [
    encoder_case("post_norm", 6, 2, (3, 5, 6), dimFeedforward=7, batchFirst=True),
    encoder_case("positions_first", 6, 2, (5, 3, 6), dimFeedforward=7),
    encoder_case("no_batch", 6, 2, (5, 6), dimFeedforward=7),
    encoder_case("pre_norm", 6, 3, (2, 5, 6), layers=2, finalNorm=True, dimFeedforward=9, batchFirst=True, normFirst=True),
    encoder_case("gelu", 6, 2, (2, 4, 6), dimFeedforward=8, batchFirst=True, activation="gelu"),
    encoder_case("two_layers", 8, 4, (2, 3, 8), layers=2, dimFeedforward=16, batchFirst=True, layerNormEps=1e-3),
    encoder_case("padding", 6, 2, (2, 5, 6), layers=2, dimFeedforward=7, batchFirst=True, padding=hidden([[False] * 5, [False] * 3 + [True] * 2])),
    encoder_case("causal", 6, 2, (5, 2, 6), dimFeedforward=7, mask=hidden(triangle)),
]


def named_arguments(cases, run):
    """`lib.op` passes inputs by position; these functions want their names."""
    queue = iter(cases)
    return lambda *inputs, **attrs: (lambda c: run(dict(zip(c["inputs"], inputs)), attrs))(next(queue))


only = [c for _, c in attention_cases]
op("multiheadAttention", named_arguments(only, lambda a, attrs: attend(next(makers)[0], a, attrs["needWeights"], attrs["averageWeights"])), only)


def encode(arguments, attrs):
    masks = {n: arguments.pop(n) for n in ("keyPaddingMask", "attnMask") if n in arguments}
    x, dy = arguments.pop("x"), arguments.pop("dy")
    module = encoder(attrs["dModel"], attrs["nHead"], attrs["layers"], attrs["finalNorm"], attrs["options"])
    return with_gradients(module, arguments, {"x": x}, lambda m: (dy, (m(x, masks.get("attnMask"), masks.get("keyPaddingMask")), {})))


op("transformerEncoder", named_arguments(encoder_cases, encode), encoder_cases)

write(__file__)
