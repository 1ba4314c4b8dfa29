from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Literal, Optional

import pytest
from harness_sdk import ConfigError, SideFile
from harness_sdk.config import read, schema, to_json


@dataclass
class Inner:
    size: int = 3


@dataclass
class Config:
    weight: Annotated[float, "How much."] = 8.0
    mode: Literal["a", "b"] = "a"
    words: Optional[str] = None
    inner: Inner = field(default_factory=Inner)
    scale: tuple[float, float] = (7.0, 3.0)
    names: list[str] = field(default_factory=list)
    file: Optional[SideFile] = None


def test_the_schema_has_types_defaults_and_documentation() -> None:
    found = schema(Config)
    assert found["additionalProperties"] is False
    properties = found["properties"]
    assert properties["weight"] == {"type": "number", "description": "How much.", "default": 8.0}
    assert properties["mode"] == {"enum": ["a", "b"], "default": "a"}
    assert properties["words"]["type"] == ["string", "null"]
    assert properties["inner"]["properties"]["size"]["default"] == 3
    assert properties["file"]["format"] == "harness-file"


def test_values_are_read_and_written_back() -> None:
    raw = {"weight": 2, "mode": "b", "inner": {"size": 5}, "scale": [1, 2], "names": ["x"]}
    config = read(Config, raw)
    assert (config.weight, config.mode, config.inner.size) == (2.0, "b", 5)
    assert config.scale == (1.0, 2.0)
    whole = to_json(config)
    assert whole["words"] is None and whole["weight"] == 2.0
    assert to_json(read(Config, whole)) == whole


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        ({"wieght": 1}, "unknown key 'wieght'; known: weight"),
        ({"weight": "1"}, "config.weight: expected a finite number, found '1'"),
        ({"weight": float("nan")}, "a finite number"),
        ({"weight": True}, "a finite number"),
        ({"mode": "c"}, "'a' or 'b'"),
        ({"inner": {"size": 1.5}}, "config.inner.size: expected a whole number"),
        ({"inner": 3}, "config.inner: expected a mapping"),
        ({"scale": [1]}, "config.scale: expected 2 entries"),
        ({"names": "x"}, "config.names: expected a list"),
        ({"file": "path.txt"}, "a file that the harness has read"),
        ([], "config: expected a mapping"),
    ],
)
def test_mistakes_are_named_with_their_place(raw: object, says: str) -> None:
    with pytest.raises(ConfigError, match=".*") as error:
        read(Config, raw)
    assert says in str(error.value)


def test_a_field_without_a_default_or_of_another_type_is_refused() -> None:
    @dataclass
    class Bare:
        size: int

    with pytest.raises(ConfigError, match="needs a default"):
        schema(Bare)
    with pytest.raises(ConfigError, match="cannot have the type"):
        schema(type("Odd", (), {"__annotations__": {}}) and _odd())


def _odd() -> type:
    @dataclass
    class Odd:
        value: complex = 1j

    # Annotations of local classes are resolved in this module.
    return Odd
