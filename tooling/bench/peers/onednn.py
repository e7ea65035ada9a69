"""oneDNN's sgemm, called straight through ctypes."""
import ctypes
import os
import sys

from protocol import Missing, floats, serve

dnnl = None


class Version(ctypes.Structure):
    _fields_ = [("major", ctypes.c_int), ("minor", ctypes.c_int), ("patch", ctypes.c_int)]


def hello(threads):
    global dnnl
    try:
        dnnl = ctypes.CDLL("libdnnl.so.2")
    except OSError:
        raise Missing("libdnnl.so.2 was not found (Debian: libdnnl2)")
    dnnl.dnnl_version.restype = ctypes.POINTER(Version)
    version = dnnl.dnnl_version().contents
    # Its threads are OpenMP's: OMP_NUM_THREADS, which the driver sets.
    return {"version": f"{version.major}.{version.minor}.{version.patch}", "threads": int(os.environ["OMP_NUM_THREADS"])}


def prepare(spec):
    if spec["kind"] != "sgemm":
        raise Missing("only its matrix products are measured here")
    n, batch = ctypes.c_int64(spec["n"]), spec["batch"]
    left, right = [ctypes.c_char(b"T" if spec["form"] == form else b"N") for form in ("tn", "nt")]
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    matrices = [[floats(spec["n"] ** 2) for _ in range(3)] for _ in range(batch)]

    def step():
        for a, b, c in matrices:
            dnnl.dnnl_sgemm(left, right, n, n, n, one, a, n, b, n, zero, c, n)
    return step, None


sys.exit(serve(hello, prepare))
