"""Configurations: dataclasses, their JSON Schema, and values from suites."""

from __future__ import annotations

import dataclasses
import enum
import math
import types
import typing
from dataclasses import dataclass
from typing import Any

from .errors import ConfigError


@dataclass(frozen=True)
class SideFile:
    """A text file that a suite names by its path, relative to the suite.

    The harness reads it: what reaches the method, on a target as well, and what a cell's key covers
    is the text, not the path.
    """

    name: str
    text: str


@dataclass
class NoConfig:
    """A method without configuration."""


def schema(kind: type) -> dict[str, Any]:
    """The JSON Schema of a dataclass with defaults for all fields."""
    defaults = default(kind)
    properties = {}
    for name, hint, doc in _fields(kind):
        entry = _schema(hint)
        if doc:
            entry["description"] = doc
        entry["default"] = to_json(getattr(defaults, name))
        properties[name] = entry
    return {"type": "object", "properties": properties, "additionalProperties": False}


def read(kind: type, raw: Any, where: str = "config") -> Any:
    """A configuration from JSON; fields that are left out have their defaults."""
    if not isinstance(raw, dict):
        raise ConfigError(f"{where}: expected a mapping, found {_shown(raw)}")
    hints = {name: hint for name, hint, _ in _fields(kind)}
    for name in raw:
        if name not in hints:
            known = ", ".join(hints) or "none"
            raise ConfigError(f"{where}: unknown key {name!r}; known: {known}")
    values = {name: _value(hints[name], value, f"{where}.{name}") for name, value in raw.items()}
    return dataclasses.replace(default(kind), **values)


def to_json(value: Any) -> Any:
    """A configuration, or a part of one, as JSON."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_json(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, (list, tuple)):
        return [to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): to_json(item) for key, item in value.items()}
    return value


def default(kind: type) -> Any:
    """The configuration with the default of every field."""
    try:
        return kind()
    except TypeError as error:
        raise ConfigError(f"every field of {kind.__qualname__} needs a default: {error}") from None


def _fields(kind: type) -> list[tuple[str, Any, str]]:
    """Name, type and documentation of each field; ``Annotated[int, "documentation"]``."""
    if not dataclasses.is_dataclass(kind):
        raise ConfigError(f"{kind.__qualname__} must be a dataclass")
    hints = typing.get_type_hints(kind, include_extras=True)
    found = []
    for field in dataclasses.fields(kind):
        hint, doc = hints[field.name], ""
        if typing.get_origin(hint) is typing.Annotated:
            hint, *notes = typing.get_args(hint)
            doc = " ".join(note for note in notes if isinstance(note, str))
        found.append((field.name, hint, doc))
    return found


def _is_union(origin: Any) -> bool:
    return origin is typing.Union or origin is getattr(types, "UnionType", None)


def _schema(hint: Any) -> dict[str, Any]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    plain = {bool: "boolean", int: "integer", float: "number", str: "string"}
    if hint in plain:
        return {"type": plain[hint]}
    if hint is SideFile:
        return {"type": "string", "format": "harness-file"}
    if origin is typing.Literal:
        return {"enum": list(arguments)}
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return {"enum": [member.value for member in hint]}
    if _is_union(origin) and type(None) in arguments and len(arguments) == 2:
        inner = _schema(next(a for a in arguments if a is not type(None)))
        if isinstance(inner.get("type"), str):
            return {**inner, "type": [inner["type"], "null"]}
        return {"anyOf": [inner, {"type": "null"}]}
    if origin in (list, tuple) and arguments:
        return {"type": "array", "items": _schema(arguments[0])}
    if origin is dict and len(arguments) == 2:
        return {"type": "object", "additionalProperties": _schema(arguments[1])}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return schema(hint)
    raise ConfigError(
        f"a configuration cannot have the type {hint}; use bool, int, float, str, Literal, an Enum, "
        "Optional, list, tuple, dict, SideFile or another dataclass"
    )


def _value(hint: Any, raw: Any, where: str) -> Any:
    if typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)

    def wrong(expected: str) -> ConfigError:
        return ConfigError(f"{where}: expected {expected}, found {_shown(raw)}")

    if hint is bool:
        if not isinstance(raw, bool):
            raise wrong("true or false")
        return raw
    if hint is int:
        if not isinstance(raw, int) or isinstance(raw, bool):
            raise wrong("a whole number")
        return raw
    if hint is float:
        if not isinstance(raw, (int, float)) or isinstance(raw, bool) or not math.isfinite(raw):
            raise wrong("a finite number")
        return float(raw)
    if hint is str:
        if not isinstance(raw, str):
            raise wrong("text")
        return raw
    if hint is SideFile:
        if not isinstance(raw, dict) or not {"name", "text"} <= raw.keys():
            raise wrong("a file that the harness has read")
        return SideFile(raw["name"], raw["text"])
    if origin is typing.Literal:
        if raw not in arguments:
            raise wrong(" or ".join(repr(a) for a in arguments))
        return raw
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        values = [member.value for member in hint]
        if raw not in values:
            raise wrong(" or ".join(repr(v) for v in values))
        return hint(raw)
    if _is_union(origin):
        inner = next(a for a in arguments if a is not type(None))
        return None if raw is None else _value(inner, raw, where)
    if origin in (list, tuple):
        if not isinstance(raw, list):
            raise wrong("a list")
        if origin is tuple and Ellipsis not in arguments:
            if len(raw) != len(arguments):
                raise wrong(f"{len(arguments)} entries")
            kinds = list(arguments)
        else:
            kinds = [arguments[0]] * len(raw)
        items = [_value(k, r, f"{where}[{i}]") for i, (k, r) in enumerate(zip(kinds, raw))]
        return origin(items)
    if origin is dict:
        if not isinstance(raw, dict):
            raise wrong("a mapping")
        return {key: _value(arguments[1], item, f"{where}.{key}") for key, item in raw.items()}
    return read(hint, raw, where)


def _shown(raw: Any) -> str:
    text = repr(raw)
    return text if len(text) <= 60 else text[:57] + "..."
