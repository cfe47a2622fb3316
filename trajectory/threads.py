"""Threads of number libraries: one that has nothing to do sleeps instead of spinning, so that others may work."""

from __future__ import annotations

import os

# What scikit-learn's boosting (GNU and LLVM OpenMP) and NumPy's and SciPy's products (OpenBLAS, 2^n cycles) read when
# they are loaded. Beside other busy processes a thread that spins takes the core of the one that it waits for.
SLEEPY = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "GOMP_SPINCOUNT": "0",
    "KMP_BLOCKTIME": "0",
    "OPENBLAS_THREAD_TIMEOUT": "4",
}


def sleep_when_idle() -> None:
    """To be called before NumPy comes; what is set in the environment already stays."""
    for name, value in SLEEPY.items():
        os.environ.setdefault(name, value)
