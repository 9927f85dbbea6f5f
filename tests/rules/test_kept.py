"""What is kept is made once for each key, never grows beyond its bound, and can be forgotten."""

from __future__ import annotations

from jobs.rules.kept import Kept


def test_a_thing_is_made_once_for_each_key() -> None:
    kept: Kept[str] = Kept(10)
    made: list[str] = []
    for key in ("a", "b", "a"):
        assert kept.get(key, lambda: made.append(key) or key) == key  # noqa: B023
    assert made == ["a", "b"]


def test_what_says_no_is_kept_too() -> None:
    kept: Kept[bool] = Kept(10)
    assert kept.get("a", lambda: False) is False
    assert kept.get("a", lambda: True) is False


def test_the_oldest_leaves_when_there_are_too_many() -> None:
    kept: Kept[int] = Kept(2)
    for key in range(3):
        kept.get(key, lambda: key)  # noqa: B023
    assert list(kept.held) == [1, 2]
    assert 0 not in kept and 2 in kept


def test_everything_can_be_forgotten() -> None:
    kept: Kept[int] = Kept(2)
    kept.get("a", lambda: 1)
    Kept.forget()
    assert kept.get("a", lambda: 2) == 2
