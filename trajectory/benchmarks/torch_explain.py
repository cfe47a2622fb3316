"""captum's integrated gradients of the same network and events, in torch's own environment; started by explain.py.

Argument: an .npz of parameters (p/...), x and base [B, n, width], item [B], and a JSON text `spec`. For each line read
from stdin it explains all rows with 50 points, 640 at once, and prints seconds and the largest gap.
"""

import json
import sys
import time

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch_twin import Twin

POINTS, AT_ONCE = 50, 640
SMALL = 0.1  # nats, as of our gaps


def main() -> None:
    """Builds the twin and answers until stdin ends."""
    torch.set_num_threads(2)
    with np.load(sys.argv[1]) as file:
        spec = json.loads(str(file["spec"]))
        params = {name.removeprefix("p/"): file[name] for name in file.files if name.startswith("p/")}
        x, base, item = (torch.tensor(file[name]) for name in ("x", "base", "item"))
    model = Twin(params, **spec)
    method = IntegratedGradients(model)
    for _ in sys.stdin:
        began = time.perf_counter()
        found = method.attribute(x, base, additional_forward_args=(item,), n_steps=POINTS, internal_batch_size=AT_ONCE)
        seconds = time.perf_counter() - began
        far = (model(x, item) - model(base, item)).detach()
        gap = (found.sum((1, 2)) - far).abs() / far.abs().clamp(min=SMALL)
        print(seconds, float(gap.max()), flush=True)


if __name__ == "__main__":
    main()
