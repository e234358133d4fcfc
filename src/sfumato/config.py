"""Typed configuration: frozen records that refuse what they do not know, and say what they meant."""

from __future__ import annotations

import importlib.metadata
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from sfumato.errors import UsageError, nearest

VERSION = importlib.metadata.version("sfumato")
"""The installed version; it goes into every score and report."""


class Config(BaseModel):
    """A frozen record; every field's docstring is its help text."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        allow_inf_nan=False,
        validate_default=True,
        protected_namespaces=(),
    )


C = TypeVar("C", bound=Config)


class Field(NamedTuple):
    """One row of a recipe's explanation."""

    key: str
    value: Any
    help: str
    info: FieldInfo
    """Its type and its bounds."""

    def schema(self) -> dict[str, Any]:
        """Return what a value may be, as JSON Schema."""
        kind: Any = (
            Annotated[self.info.annotation, *self.info.metadata]
            if self.info.metadata
            else self.info.annotation
        )
        return TypeAdapter(kind).json_schema()


def explain(config: Config, prefix: str = "") -> Iterator[Field]:
    """Yield every leaf of a configuration with its dotted key, its value and its meaning."""
    for name, info in type(config).model_fields.items():
        value = getattr(config, name)
        key = f"{prefix}{name}"
        if isinstance(value, Config):
            yield from explain(value, f"{key}.")
        elif isinstance(value, Mapping) and any(isinstance(v, Config) for v in value.values()):
            for entry, inner in value.items():
                yield from explain(inner, f"{key}.{entry}.")
        else:
            yield Field(key, value, " ".join((info.description or "").split()), info)


def parse_duration(text: str | float) -> float:
    """Turn "180s", "3m", "1.5h" or a number of seconds into seconds.

    Raises:
        UsageError: If the text is not a positive, finite duration.
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|d)?\s*", str(text))
    seconds = float(match[1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[match[2] or "s"] if match else 0
    if not 0 < seconds <= 366 * 86400:
        raise UsageError(
            f"budget '{text}': a duration is a number above 0 (at most a year) with s, m, h or d; "
            "write for example 180s, 3m or 2h."
        )
    return seconds


def build(kind: type[C], values: Any, source: str) -> C:
    """Validate plain values into a configuration, with errors a person can act on.

    Args:
        kind: The configuration class.
        values: A mapping as read from YAML, JSON or the command line.
        source: Where it came from, for the message: a file's name or "--set".

    Raises:
        UsageError: Naming the source, the key, the value, the rule and the nearest right key.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise UsageError(_describe(kind, error, source)) from None


def _describe(kind: type[Config], error: ValidationError, source: str) -> str:
    """Turn pydantic's first complaint into one sentence."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        parent = ".".join(str(part) for part in first["loc"][:-1])
        known = [f"{parent}.{name}" if parent else name for name in _siblings(kind, first["loc"][:-1])]
        return f"{source}: there is no key '{key}'; {nearest(key, known)}"
    rule = first["msg"].removeprefix("Value error, ")
    return f"{source}: {key} = {first.get('input')!r}: {rule}{'' if rule.endswith(('.', '?')) else '.'}"


def _siblings(kind: type[Config], path: Sequence[Any]) -> list[str]:
    """List the keys that are right at a place of a configuration class."""
    for part in path:
        info = kind.model_fields.get(str(part))
        inner = info.annotation if info else None
        if not (isinstance(inner, type) and issubclass(inner, Config)):
            return []
        kind = inner
    return list(kind.model_fields)


def override(config: C, assignments: Sequence[str], source: str = "--set") -> C:
    """Return a copy with dotted keys replaced.

    Args:
        config: The configuration to start from.
        assignments: For example ["model.width=64", "training.batch_size=32"]; values are YAML.
        source: Where they came from, for the message.

    Raises:
        UsageError: If a key does not exist or a value does not fit.
    """
    for assignment in assignments:
        key, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"{source} '{assignment}': write KEY=VALUE, for example model.width=64.")
        try:
            value = yaml.safe_load(text)
        except (yaml.YAMLError, ValueError):  # such as the 45th of a month
            raise UsageError(f"{source} '{assignment}': the value is not valid YAML.") from None
        config = _replace(config, key.strip(), key.strip().split("."), value, source)
    return config


def _replace(config: C, key: str, path: Sequence[str], value: Any, source: str) -> C:
    """Rebuild one branch of the tree with one leaf changed, validating each level."""
    name, rest = path[0], path[1:]
    if name not in type(config).model_fields:
        prefix = key.split(".")[: -len(path)]
        known = [".".join([*prefix, field]) for field in type(config).model_fields]
        raise UsageError(f"{source}: there is no key '{key}'; {nearest(key, known)}")
    old = getattr(config, name)
    if isinstance(old, Config):
        if not rest:
            inner = [field.key for field in explain(old, f"{key}.")]
            raise UsageError(f"{source}: '{key}' is a group of keys; {nearest(key, inner)}")
        new: Any = _replace(old, key, rest, value, source)
    elif isinstance(old, Mapping) and rest:
        if rest[0] not in old:
            prefix = ".".join(key.split(".")[: -len(rest)])
            raise UsageError(
                f"{source}: there is no key '{key}'; {nearest(key, [f'{prefix}.{k}' for k in old])}"
            )
        new = {**old, rest[0]: _replace(old[rest[0]], key, rest[1:], value, source) if rest[1:] else value}
    elif rest:
        raise UsageError(f"{source}: '{key}' goes too deep; the key is '{key.rsplit('.', len(rest))[0]}'.")
    else:
        new = value
    values = {field: getattr(config, field) for field in type(config).model_fields} | {name: new}
    try:
        return type(config).model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        raise UsageError(f"{source}: {key} = {value!r}: {message}.") from None
