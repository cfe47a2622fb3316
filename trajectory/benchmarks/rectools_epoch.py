"""Training steps of RecTools' SASRec in RecTools' own environment; started by epoch.py.

Arguments: an interactions.parquet with user_id, item_id and position; how many steps. Trains on all but each user's
last two events and prints how many steps an epoch has and the seconds from the end of each step to the end of the
next: width 64, 2 blocks, 2 heads, length 50, batches of 256 histories, full softmax.
"""

import logging
import sys
import time
import warnings

import pandas as pd
import polars as pl
from pytorch_lightning import Callback, Trainer
from rectools import Columns
from rectools.dataset import Dataset
from rectools.models import SASRecModel


class _Clock(Callback):
    before = None

    def on_train_batch_end(self, trainer, *_) -> None:
        now = time.perf_counter()
        print(len(trainer.train_dataloader) if self.before is None else now - self.before, flush=True)
        self.before = now


def main() -> None:
    """Fits for some steps; every session is padded to 50 events, so that they are alike."""
    warnings.filterwarnings("ignore")
    logging.getLogger("pytorch_lightning").setLevel(logging.ERROR)
    log = pl.read_parquet(sys.argv[1], columns=["user_id", "item_id", "position"])
    log = log.filter(pl.col("position") < pl.col("position").max().over("user_id") - 1)
    table = {
        Columns.User: log["user_id"].to_list(),
        Columns.Item: log["item_id"].to_list(),
        Columns.Weight: 1,
        Columns.Datetime: pd.to_datetime(log["position"].to_list(), unit="s"),
    }
    SASRecModel(
        n_blocks=2,
        n_heads=2,
        n_factors=64,
        session_max_len=50,
        batch_size=256,
        loss="softmax",
        lr=1e-3,
        dropout_rate=0.2,
        get_trainer_func=lambda: Trainer(
            max_epochs=1,
            limit_train_batches=int(sys.argv[2]) + 1,
            enable_progress_bar=False,
            enable_model_summary=False,
            logger=False,
            enable_checkpointing=False,
            accelerator="cpu",
            callbacks=[_Clock()],
        ),
    ).fit(Dataset.construct(pd.DataFrame(table)))


if __name__ == "__main__":
    main()
