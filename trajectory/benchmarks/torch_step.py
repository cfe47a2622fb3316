"""torch's training step of the same recurrent body, in torch's own environment; started by recurrent.py.

Arguments: cell, items, rows, length. For each line read from stdin it prints the seconds of one step of
Embedding (64) -> nn.GRU or nn.LSTM (128) -> Linear (64), on the mean square of the output, with Adam.
"""

import sys
import time

import torch
from torch import nn


def main() -> None:
    """Builds the model and answers until stdin ends."""
    cell, *sizes = sys.argv[1:]
    items, rows, length = map(int, sizes)
    table = nn.Embedding(items + 1, 64, padding_idx=0)
    body = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](64, 128, batch_first=True)
    out = nn.Linear(128, 64)
    tx = torch.optim.Adam([*table.parameters(), *body.parameters(), *out.parameters()], 1e-3)
    item = torch.randint(1, items + 1, (rows, length))
    for _ in sys.stdin:
        began = time.perf_counter()
        loss = (out(body(table(item))[0]) ** 2).mean()
        tx.zero_grad()
        loss.backward()
        tx.step()
        print(time.perf_counter() - began, flush=True)


if __name__ == "__main__":
    main()
