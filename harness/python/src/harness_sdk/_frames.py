"""Frames: a head in JSON and tensors behind it; see docs/script-protocol.md."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_PREFIX = struct.Struct("<IQ")


def write(to: BinaryIO, head: dict[str, Any], tensors: Sequence[Array] = ()) -> None:
    """Writes a frame."""
    arrays = [np.ascontiguousarray(t, dtype="<f4") for t in tensors]
    head = {**head, "tensors": [list(np.shape(t)) for t in tensors]}
    text = json.dumps(head, allow_nan=False).encode()
    to.write(_PREFIX.pack(len(text), sum(a.nbytes for a in arrays)))
    to.write(text)
    for array in arrays:
        to.write(array.tobytes())
    to.flush()


def read(source: BinaryIO) -> tuple[dict[str, Any], list[Array]] | None:
    """Reads a frame; None where the stream ends."""
    prefix = source.read(_PREFIX.size)
    if len(prefix) < _PREFIX.size:
        return None
    length, _ = _PREFIX.unpack(prefix)
    head = json.loads(_exactly(source, length))
    tensors = []
    for shape in head.pop("tensors", []):
        values = np.frombuffer(_exactly(source, 4 * math.prod(shape)), dtype="<f4")
        # A copy: what a script gets it may write to.
        tensors.append(values.reshape(shape).astype(np.float32))
    return head, tensors


def _exactly(source: BinaryIO, length: int) -> bytes:
    data = source.read(length)
    if len(data) < length:
        raise EOFError("the harness closed the pipe")
    return data
