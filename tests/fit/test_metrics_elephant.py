"""The measures that elephant has, on random spike trains; skipped where it is not installed."""

from __future__ import annotations

import numpy as np
import pytest

from brian2lava.fit.metrics import isi_cv, rate, van_rossum, victor_purpura
from tests.fit.plain_metrics import random_train

dissimilarity = pytest.importorskip(
    "elephant.spike_train_dissimilarity",
    reason="elephant is not installed (extra test-all); test_metrics_spikes.py does without",
)
neo = pytest.importorskip("neo")
pq = pytest.importorskip("quantities")
statistics = pytest.importorskip("elephant.statistics")

pytestmark = pytest.mark.filterwarnings("ignore")  # elephant's own


@pytest.mark.parametrize("seed", range(20))
def test_as_elephant(seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = (random_train(rng, rng.choice([3, 10, 40]), 5.0) for _ in range(2))
    theirs = [neo.SpikeTrain(each, units="s", t_stop=5.0) for each in (a, b)]
    for cost in (0.0, 1.0, 50.0, 1000.0):
        wanted = dissimilarity.victor_purpura_distance(theirs, cost * pq.Hz)[0, 1]
        assert victor_purpura(a, b, cost) == pytest.approx(float(wanted))
    for tau in (0.002, 0.01, 0.5):
        wanted = dissimilarity.van_rossum_distance(theirs, tau * pq.s)[0, 1]
        assert van_rossum(a, b, tau) == pytest.approx(float(wanted), rel=1e-6)
    if len(a) > 2:
        assert isi_cv(a) == pytest.approx(float(statistics.cv(statistics.isi(a))))
    assert rate(a, [(0.0, 5.0)]) == pytest.approx(
        float(statistics.mean_firing_rate(theirs[0]).rescale("Hz"))
    )
