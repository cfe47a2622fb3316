"""Memory of the host: large buffers are handed from one step to the next instead of back to the system."""

from __future__ import annotations

import ctypes
import os
import sys
from typing import Any

HUGE_PAGE = 2**21
M_TRIM_THRESHOLD, M_MMAP_MAX, M_ARENA_MAX = -1, -4, -8  # malloc.h
MADV_HUGEPAGE = 14  # sys/mman.h


def keep() -> bool:
    """Makes glibc's heap keep what it is given and lie in huge pages; False where there is no glibc.

    XLA asks for its buffers anew at each step. By default large ones go back to the system each time, and the kernel
    clears their pages, 4 KiB by 4 KiB, a third of a small model's step (trajectory bench --only=memory). The process
    keeps the most memory it ever had; address space is reserved up to half of the machine's memory, not the memory.

    To be called before any thread is started, as NumPy's import does: threads may later be given the arena of an
    earlier one, and what does not fit into that one comes from the system and goes back to it, whatever is set here.
    """
    library: Any = ctypes.CDLL(None) if sys.platform == "linux" else None
    if not hasattr(library, "mallopt"):  # other C libraries
        return False
    # Arenas of threads hold 64 MiB at most, so only the main one, grown by sbrk, can keep large buffers.
    for parameter, value in ((M_MMAP_MAX, 0), (M_TRIM_THRESHOLD, -1), (M_ARENA_MAX, 1)):
        library.mallopt(parameter, value)
    size = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    library.malloc.restype, library.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    library.free.argtypes = [ctypes.c_void_p]
    library.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    block = library.malloc(size)
    if not block:
        return False
    # Freed at once, the block stays the top of the heap, and what is put there later lies in huge pages.
    first = -(-block // HUGE_PAGE) * HUGE_PAGE
    library.madvise(first, block + size - first, MADV_HUGEPAGE)
    library.free(block)
    return True
