"""Eight virtual devices, the compilation cache, and small logs for every test."""

from __future__ import annotations

import jax

jax.config.update("jax_num_cpu_devices", 8)

from trajectory.training import parallel  # noqa: E402

parallel.cache()
