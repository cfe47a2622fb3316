"""Threads of number libraries: idle ones sleep instead of spinning, and small work has one."""

from __future__ import annotations

import os
from typing import Any

from threadpoolctl import threadpool_limits

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


def one_thread(of: str) -> Any:
    """Within it one thread works on each call of NumPy's and SciPy's products (`of` "blas") or scikit-learn's loops
    ("openmp").

    For many small calls: two threads save little, and beside other work they wait for each other for far longer (a
    regression on 2,500 rows of 41 numbers took 35 times the processor time of one thread).
    """
    return threadpool_limits.wrap(limits=1, user_api=of)
