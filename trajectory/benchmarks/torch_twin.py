"""Our recurrent networks and transformer once more in torch, for what only torch's libraries do with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn


class Twin(nn.Module):
    """Event vectors [B, n, width] of whole rows, log-probability [B] of one item of each after the last event.

    `params` are those of an `InterestModel` without a repeat head, flat {"items/ids/embedding": array}.
    """

    def __init__(self, params: Mapping[str, Any], backbone: str, layers: Sequence[int], heads: int) -> None:
        super().__init__()
        self.p = {name: torch.tensor(value, dtype=torch.float32) for name, value in params.items()}
        self.layers, self.heads, self.attends = layers, heads, backbone == "transformer"
        if not self.attends:
            sizes = [self.p["items/ids/embedding"].shape[1], *layers]
            self.stack = nn.ModuleList(
                self._recurrent(backbone, f"backbone/stack_{number}", *pair)
                for number, pair in enumerate(zip(sizes, layers, strict=False))
            )

    def forward(self, x: torch.Tensor, item: torch.Tensor) -> torch.Tensor:
        """See the class; `item` int64 [B]."""
        state = (self._attention(x) if self.attends else self._states(x))[:, -1]
        if "narrow/kernel" in self.p:
            state = self._dense("narrow", state)
        log_p = (state @ self.p["items/ids/embedding"][1:].T).log_softmax(-1)
        return log_p.gather(1, item[:, None] - 1)[:, 0]

    def _recurrent(self, cell: str, name: str, size: int, width: int) -> nn.Module:
        layer = {"gru": nn.GRU, "lstm": nn.LSTM}[cell](size, width, batch_first=True)
        bias, inner = self.p[f"{name}/inputs/bias"].clone(), torch.zeros(len(self.p[f"{name}/inputs/bias"]))
        if cell == "lstm":
            bias[:width] += self.p[f"{name}/bias"]  # of the input gate
            bias[width : 2 * width] += 1  # the forget gate begins open
        else:
            inner[2 * width :] = self.p[f"{name}/bias"]  # within what the reset gate lets through
        weights = {"weight_ih_l0": self.p[f"{name}/inputs/kernel"].T, "weight_hh_l0": self.p[f"{name}/recurrent"].T}
        layer.load_state_dict(weights | {"bias_ih_l0": bias, "bias_hh_l0": inner})
        return layer.requires_grad_(False)

    def _states(self, x: torch.Tensor) -> torch.Tensor:
        for layer in self.stack:
            x, _ = layer(x)
        return x

    def _attention(self, x: torch.Tensor) -> torch.Tensor:
        length = x.shape[1]
        x = x + self.p["backbone/position/embedding"][:length]
        hidden = torch.triu(torch.ones(length, length, dtype=torch.bool), 1)
        for number in range(len(self.layers)):
            name = f"backbone/stack_{number}"
            parts = self._dense(f"{name}/qkv", self._norm(f"{name}/norm_attention", x)).chunk(3, -1)
            q, k, v = (part.reshape(len(x), length, self.heads, -1).transpose(1, 2) for part in parts)
            score = (q @ k.transpose(2, 3) / q.shape[-1] ** 0.5).masked_fill(hidden, -torch.inf)
            x = x + self._dense(f"{name}/out", (score.softmax(-1) @ v).transpose(1, 2).reshape(x.shape))
            up = nn.functional.gelu(self._dense(f"{name}/up", self._norm(f"{name}/norm_mlp", x)), approximate="tanh")
            x = x + self._dense(f"{name}/down", up)
        return self._norm("backbone/norm", x)

    def _dense(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return x @ self.p[f"{name}/kernel"] + self.p[f"{name}/bias"]

    def _norm(self, name: str, x: torch.Tensor) -> torch.Tensor:
        return nn.functional.layer_norm(x, x.shape[-1:], self.p[f"{name}/scale"], self.p[f"{name}/bias"], eps=1e-6)
