"""Which parameters of another run are taken over, which stay as they are, how fast others learn: rules by name."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import optax

from trajectory.schema import UserError

ACTIONS = {"skip": 0, "freeze": 0, "unfreeze": 1, "rate": 1, "depth": 1}  # and how many numbers each takes
NEVER = 2**31 - 1
# From the last layers to the first; what stands with several is as deep as the first that fits.
DEPTHS = (
    ("narrow/", "prior/", "ahead/", "repeat/", "interest/", "conversion/", "time/", "reconstruct/", "contrast/"),
    ("backbone/",),
    ("widen/", "event/"),
    ("items/",),
)


@dataclass(frozen=True)
class Rules:
    """What the rules say of each parameter, by its name (as `params/items/ids/embedding`)."""

    skipped: frozenset[str]  # not taken over
    rate: dict[str, float]  # factor of the learning rate
    until: dict[str, int]  # step from which it learns; NEVER

    @classmethod
    def of(cls, rules: Sequence[Sequence[Any]], names: Iterable[str]) -> Rules:
        """Reads rules like ("items/*", "freeze"): a pattern of names without "params/", an action and its number.

        skip: begins anew; freeze: never learns; unfreeze N: learns from step N on; rate R: learns at R times the rate;
        depth R: at R ** d times the rate, d = how many layers it is below the last ones. Rates of several rules are
        multiplied. Raises UserError for a rule that is none or that matches no parameter.
        """
        plain = {name.removeprefix("params/"): name for name in names}
        skipped: set[str] = set()
        rate, until = dict.fromkeys(plain.values(), 1.0), dict.fromkeys(plain.values(), 0)
        for rule in rules:
            pattern, action, *numbers = rule if len(rule) > 1 else (*rule, "")
            if action not in ACTIONS or len(numbers) != ACTIONS[action]:
                forms = ", ".join(f"{name} N" if count else name for name, count in ACTIONS.items())
                raise UserError(f"init.rules: {tuple(rule)} is no rule; expected (pattern, action) out of {forms}")
            matched = [plain[name] for name in fnmatch.filter(plain, pattern)]
            if not matched:
                raise UserError(
                    f"init.rules: {pattern!r} matches no parameter; there are "
                    + ", ".join(sorted({"/".join(name.split("/")[:2]) for name in plain}))
                )
            for name in matched:
                match action:
                    case "skip":
                        skipped.add(name)
                    case "freeze":
                        until[name] = NEVER
                    case "unfreeze":
                        until[name] = int(numbers[0])
                    case "rate":
                        rate[name] *= float(numbers[0])
                    case "depth":
                        rate[name] *= float(numbers[0]) ** _depth(name.removeprefix("params/"), plain)
        return cls(frozenset(skipped), rate, until)

    def around(self, tx: optax.GradientTransformation) -> optax.GradientTransformation:
        """The optimiser that keeps to the rules; gradients of what does not learn yet count for nothing."""
        if all(factor == 1 for factor in self.rate.values()) and not any(self.until.values()):
            return tx

        learning = self._by(self.until, {step: _from_step(step) for step in self.until.values()})
        rates = self._by(self.rate, {rate: optax.scale(rate) for rate in self.rate.values()})
        return optax.chain(learning, tx, learning, rates)

    @staticmethod
    def _by(values: dict[str, Any], transforms: dict[Any, optax.GradientTransformation]) -> Any:
        """Each parameter through the transformation of its value; labels are text, as keys of a checkpoint are."""

        def labels(params: Any) -> Any:
            return jax.tree_util.tree_map_with_path(lambda path, _: str(values[_name(path)]), params)

        return optax.partition({str(value): tx for value, tx in transforms.items()}, labels)


def _from_step(first: int) -> optax.GradientTransformation:
    """Nothing before step `first`, everything from it on."""
    if first in (0, NEVER):
        return optax.set_to_zero() if first else optax.identity()
    return optax.scale_by_schedule(lambda step: (step >= first).astype(jnp.float32))


def _name(path: Any) -> str:
    return jax.tree_util.keystr(path, simple=True, separator="/")


def _depth(name: str, names: Iterable[str]) -> int:
    """How many layers a parameter is below the last ones; layers of the backbone are told apart by their numbers."""
    layers = sorted({_layer(other) for other in names if other.startswith("backbone/")})
    group = next((i for i, starts in enumerate(DEPTHS) if name.startswith(starts)), 0)
    if group == 1:
        return len(layers) - layers.index(_layer(name))
    return group if group == 0 else group - 1 + len(layers)


def _layer(name: str) -> int:
    digits = [part.rsplit("_", 1)[1] for part in name.split("/") if part.rsplit("_", 1)[-1].isdigit()]
    return int(digits[0]) if digits else 0
