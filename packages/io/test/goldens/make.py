"""Files as PyTorch and numpy write them, for the readers of @nn/io: `python3 make.py` writes them again.

Made with PyTorch 1.13 and numpy 1.24.2. Values are small and simple, so that tests can state them.
"""

import pickle
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn

here = Path(__file__).parent


def numbers(*shape, dtype=torch.float32, scale=0.5):
    return (torch.arange(int(np.prod(shape)), dtype=torch.float64) * scale).reshape(shape).to(dtype)


# ---- PyTorch ----------------------------------------------------------------------------------------------------


def save(name, value, **options):
    torch.save(value, here / name, **options)


torch.manual_seed(0)
model = nn.Sequential(OrderedDict(conv=nn.Conv2d(2, 3, (1, 2), groups=1), norm=nn.BatchNorm2d(3), head=nn.Linear(3, 2, bias=False)))
with torch.no_grad():
    for p in model.parameters():
        p.copy_(numbers(*p.shape))
save("state-dict.pt", model.state_dict())
save("protocol-5.pt", model.state_dict(), pickle_protocol=5)

base = numbers(6, 4)
save("views.pt", {
    "base": base, "column": base[:, 1], "transposed": base.t(), "inner": base[1:3, 1:4], "every-other": base[::2],
    "expanded": base[0:1, :2].expand(3, 2), "scalar": base[2, 3], "empty": torch.zeros(0, 3), "parameter": nn.Parameter(base[5]),
})

optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
model.head(torch.ones(1, 3)).sum().backward()
optimizer.step()
save("checkpoint.pt", {
    "epoch": 12, "best": 0.875, "name": "tiny ✓", "done": False, "nothing": None, "steps": 2**40, "huge": 2**80, "sizes": torch.Size([2, 3]),
    "device": torch.device("cpu"), "dtype": torch.float16, "history": [1, 2.5, (3, "x")], "state_dict": model.head.state_dict(), "optimizer": optimizer.state_dict(),
})

save("dtypes.pt", {
    name: numbers(2, 2, dtype=getattr(torch, name), scale=1)
    for name in ("float32", "float64", "float16", "bfloat16", "int8", "int16", "int32", "int64", "uint8")
} | {"bool": torch.tensor([True, False])})
save("legacy.pt", {"w": numbers(2)}, _use_new_zipfile_serialization=False)
save("module.pt", nn.Linear(1, 1))
torch.jit.script(nn.Linear(1, 1)).save(str(here / "script.pt"))


class Evil:
    def __reduce__(self):
        import os

        return os.system, ("echo no",)


save("evil.pt", {"w": Evil()})
(here / "bare.pkl").write_bytes(pickle.dumps({"w": 1}, protocol=2))

# ---- numpy ------------------------------------------------------------------------------------------------------

matrix = np.arange(6, dtype=np.float32).reshape(2, 3) / 2
arrays = {
    "f4": matrix, "f8": matrix.astype("f8"), "f2": matrix.astype("f2"), "fortran": np.asfortranarray(matrix), "big": matrix.astype(">f4"),
    "i1": np.array([-1, 2], "i1"), "i8": np.array([-3, 2**31 - 1], "i8"), "u2": np.array([65535], "u2"), "b1": np.array([True, False]),
    "scalar": np.float32(1.5), "empty": np.zeros((0, 3), "f4"), "cube": np.asfortranarray(np.arange(24, dtype="i4").reshape(2, 3, 4)),
}
np.savez(here / "arrays.npz", **arrays)
np.savez_compressed(here / "compressed.npz", zeros=np.zeros((100, 100), "f4"), ramp=np.arange(50, dtype="i4"))
np.save(here / "matrix.npy", matrix)
np.save(here / "objects.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
np.save(here / "records.npy", np.zeros(2, dtype=[("a", "f4"), ("b", "i4")]))
with open(here / "version-2.npy", "wb") as f:
    np.lib.format.write_array(f, matrix, version=(2, 0))

print(sys.version, torch.__version__, np.__version__)
