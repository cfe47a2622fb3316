"""captum's integrated gradients of the same network and events, in torch's own environment; started by explain.py.

Argument: an .npz of parameters (p/...), x and reference [B, n, width], item [B], and a JSON text `spec`. For each line
read from stdin it explains all rows with 50 points, 640 at once, and prints seconds and the largest completeness error.
"""

import json
import sys
import time

import numpy as np
import torch
from captum.attr import IntegratedGradients
from torch_twin import Twin

POINTS, AT_ONCE = 50, 640
SMALL = 0.1  # nats, as in explain/attribution.py


def main() -> None:
    """Builds the twin and answers until stdin ends."""
    torch.set_num_threads(2)
    with np.load(sys.argv[1]) as file:
        spec = json.loads(str(file["spec"]))
        params = {name.removeprefix("p/"): file[name] for name in file.files if name.startswith("p/")}
        x, reference, item = (torch.tensor(file[name]) for name in ("x", "reference", "item"))
    model = Twin(params, **spec)
    method = IntegratedGradients(model)
    for _ in sys.stdin:
        began = time.perf_counter()
        values = method.attribute(
            x, reference, additional_forward_args=(item,), n_steps=POINTS, internal_batch_size=AT_ONCE
        )
        seconds = time.perf_counter() - began
        difference = (model(x, item) - model(reference, item)).detach()
        error = (values.sum((1, 2)) - difference).abs() / difference.abs().clamp(min=SMALL)
        print(seconds, float(error.max()), flush=True)


if __name__ == "__main__":
    main()
