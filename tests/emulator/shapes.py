"""What a reply looks like, written as an example of types, and how a value differs from it."""

from __future__ import annotations

from typing import Any

# A type, a tuple of types, a literal ({} and [] as well), [shape of each item], {key: shape}, or a class of here.
Shape = Any


class Optional:
    """A key that may be missing."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape


class Mapped:
    """An object with any keys, whose values have this shape; `least` of them."""

    def __init__(self, shape: Shape, *, least: int = 0) -> None:
        self.shape, self.least = shape, least


class Listed:
    """An array of at least so many items of this shape."""

    def __init__(self, shape: Shape, *, least: int = 1) -> None:
        self.shape, self.least = shape, least


def differences(value: Any, shape: Shape, at: str = "$") -> list[str]:
    """Every place where the value has another shape, in words; unknown keys are no difference."""
    if isinstance(shape, dict | list) and not shape:
        return [] if value == shape else [f"{at}: {value!r:.60} is not empty"]
    if isinstance(shape, Listed | list):
        return _of_list(value, shape, at)
    if isinstance(shape, Mapped):
        return _of_map(value, shape, at)
    if isinstance(shape, dict):
        return _of_object(value, shape, at)
    if isinstance(shape, type | tuple):
        kinds = shape if isinstance(shape, tuple) else (shape,)
        is_right = isinstance(value, kinds) and (bool in kinds or not isinstance(value, bool))
        return [] if is_right else [f"{at}: {value!r:.60} is no {shape}"]
    return [] if value == shape else [f"{at}: {value!r:.60} is not {shape!r}"]


def _of_list(value: Any, shape: Listed | list[Shape], at: str) -> list[str]:
    inner, least = (shape.shape, shape.least) if isinstance(shape, Listed) else (shape[0], 0)
    if not isinstance(value, list) or len(value) < least:
        return [f"{at}: {value!r:.60} is no array of {least} or more"]
    return [told for place, item in enumerate(value) for told in differences(item, inner, f"{at}[{place}]")]


def _of_map(value: Any, shape: Mapped, at: str) -> list[str]:
    if not isinstance(value, dict) or len(value) < shape.least:
        return [f"{at}: {value!r:.60} is no object of {shape.least} or more"]
    return [told for key, item in value.items() for told in differences(item, shape.shape, f"{at}.{key}")]


def _of_object(value: Any, shape: dict[str, Shape], at: str) -> list[str]:
    if not isinstance(value, dict):
        return [f"{at}: {value!r:.60} is no object"]
    told = []
    for key, wanted in shape.items():
        if key in value:
            told += differences(
                value[key], wanted.shape if isinstance(wanted, Optional) else wanted, f"{at}.{key}"
            )
        elif not isinstance(wanted, Optional):
            told.append(f"{at}.{key}: missing")
    return told
