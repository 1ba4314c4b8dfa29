from __future__ import annotations

import io

import numpy as np
import pytest
from harness_sdk import _frames


def test_a_frame_reads_back() -> None:
    tensors = [
        np.arange(6, dtype=np.float32).reshape(2, 3),
        np.float32(7.0) * np.ones((), np.float32),
        np.zeros((0, 4), np.float32),
        np.arange(6, dtype=np.float32).reshape(2, 3).T,
    ]
    stream = io.BytesIO()
    _frames.write(stream, {"call": {"x": 1}}, tensors)
    stream.seek(0)
    found = _frames.read(stream)
    assert found is not None
    head, read = found
    assert head == {"call": {"x": 1}}
    for a, b in zip(tensors, read):
        assert a.shape == b.shape and np.array_equal(a, b)
    assert _frames.read(stream) is None


def test_a_frame_that_breaks_off_ends_the_stream() -> None:
    stream = io.BytesIO()
    _frames.write(stream, {}, [np.ones(3, np.float32)])
    cut = io.BytesIO(stream.getvalue()[:-1])
    with pytest.raises(EOFError):
        _frames.read(cut)


def test_numbers_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="Out of range"):
        _frames.write(io.BytesIO(), {"loss": float("nan")})
