import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gapnet.ops.shares import thresholds_of_shares

POSITIVE = st.floats(2.0**-140, 2.0**120, width=32)
SHARES = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=5)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(POSITIVE, SHARES)
def test_values_around_a_threshold_compare_as_their_shares_do(highest, shares) -> None:
    maximum, cuts = np.float32(highest), np.float32(shares)
    thresholds = thresholds_of_shares(maximum, cuts)
    for neighbour in (-np.inf, np.inf):
        values = thresholds
        for _ in range(3):
            above = values > thresholds
            assert np.array_equal(above, values / maximum > cuts)
            values = np.nextafter(values, np.float32(neighbour))
