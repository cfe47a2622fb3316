from __future__ import annotations

import numpy as np
import pytest

from tests.explain.cases import made
from trajectory.explain.attention import rollout
from trajectory.schema import UserError


@pytest.mark.parametrize("backbone", ["transformer", "hybrid"])
def test_shares_of_attention_add_up_to_one_over_what_is_seen(backbone: str) -> None:
    function, inputs = made(backbone)
    share = rollout(function, inputs)
    np.testing.assert_allclose(share.sum(axis=1), 1, rtol=1e-5)
    assert (share[np.asarray(inputs.mask)] > 0).all()
    newest = np.take_along_axis(share, np.asarray(inputs.targets.position)[:, None], axis=1)
    assert (newest >= 0.25).all(), "two blocks keep half of it each"


def test_a_network_without_attention_is_refused() -> None:
    function, inputs = made("gru")
    with pytest.raises(UserError, match="backbone of this run is gru"):
        rollout(function, inputs)
