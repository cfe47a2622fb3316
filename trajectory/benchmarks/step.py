"""One training step of each backbone on Complete Journey."""

import time

import jax

from trajectory.presets import complete_journey
from trajectory.training import experiment, optimizer, parallel
from trajectory.training import train_step as train_step_
from trajectory.training.losses import Objective

STEPS = 12


def step() -> None:
    """Milliseconds of a step by backbone, on all devices and on one."""
    print("step (Complete Journey)  | all devices, pmap | one device | ratio")
    for model in ("lstm", "gru", "transformer"):
        many, one = (step_seconds(model, devices) for devices in (0, 1))
        print(f"{model:24s} | {1e3 * many:14.0f} ms | {1e3 * one:7.0f} ms | {one / many:.2f}")


def journey(model: str) -> experiment.Experiment:
    """The experiment of a backbone on Complete Journey."""
    return experiment.build(complete_journey.get_config(f"model={model}"))


def step_seconds(model: str, devices: int = 0) -> float:
    """Least seconds of a training step on so many devices (0 = all), batches at hand."""
    built = journey(model)
    c, plan = built.config, built.training_data().plan(0)
    tx = optimizer.optimiser(c.optim, 1000)
    train_step = train_step_.TrainStep(built.model, tx, Objective.of(c, built.item_interest))
    over = parallel.Parallel(train_step, c.train.strategy, parallel.devices(devices, c.batch.rows))
    state = over.place(train_step_.initial_state(built.model, tx, plan.batch(0), 0))
    seconds = []
    for index in range(STEPS):
        batch = plan.batch(index)
        began = time.perf_counter()
        state, _ = jax.block_until_ready(over.step(state, batch))
        seconds.append(time.perf_counter() - began)
    return min(seconds[2:])  # the first step compiles
