"""OpenBLAS's sgemm, called straight through ctypes."""
import ctypes
import os
import sys

from protocol import Missing, floats, serve

FOLDERS = ["/usr/lib/x86_64-linux-gnu/openblas-openmp", "/usr/lib/x86_64-linux-gnu/openblas-pthread", ""]
blas = None
ROW_MAJOR, NO_TRANS, TRANS = 101, 111, 112


def hello(threads):
    global blas
    for folder in FOLDERS:
        try:
            blas = ctypes.CDLL(os.path.join(folder, "libopenblas.so.0"))
            break
        except OSError:
            continue
    if blas is None:
        raise Missing("libopenblas.so.0 was not found (Debian: libopenblas0-openmp)")
    blas.openblas_get_config.restype = ctypes.c_char_p
    blas.openblas_get_corename.restype = ctypes.c_char_p
    blas.openblas_set_num_threads(threads)
    version = blas.openblas_get_config().decode().split()[1]
    return {"version": version, "threads": blas.openblas_get_num_threads(), "note": f"{blas.openblas_get_corename().decode()}, {os.path.basename(folder)}"}


def prepare(spec):
    if spec["kind"] != "sgemm":
        raise Missing("a BLAS has matrix products only")
    n, batch = spec["n"], spec["batch"]
    left = TRANS if spec["form"] == "tn" else NO_TRANS
    right = TRANS if spec["form"] == "nt" else NO_TRANS
    one, zero = ctypes.c_float(1), ctypes.c_float(0)
    matrices = [(floats(n * n), floats(n * n), floats(n * n)) for _ in range(batch)]

    def step():
        for a, b, c in matrices:
            blas.cblas_sgemm(ROW_MAJOR, left, right, n, n, n, one, a, n, b, n, zero, c, n)
    return step, None


sys.exit(serve(hello, prepare))
