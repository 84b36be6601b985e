"""The pictures show the screens as they are: drawn anew, every one is the same, byte by byte."""

from __future__ import annotations

import asyncio
import re

import pytest

from tests.make_screenshots import FOLDER, SIZES, draw


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_picture_is_that_of_the_screen(size: tuple[int, int]) -> None:
    ending = f"{size[0]}x{size[1]}"
    drawn = asyncio.run(draw(size))
    kept = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob(f"*-{ending}.svg")}
    assert sorted(kept) == sorted(drawn)
    stale = [name for name, svg in drawn.items() if kept[name] != svg]
    assert not stale, f"make screenshots draws these anew: {', '.join(stale)}"


def test_every_picture_has_a_derived_one_and_fetches_nothing() -> None:
    pictures = sorted(FOLDER.glob("*.svg"))
    assert [path.stem for path in pictures] == sorted(path.stem for path in FOLDER.glob("*.png"))
    for path in pictures:
        svg = path.read_text(encoding="utf-8")
        assert not re.search(r"@font-face|url\(http|<image|<script", svg), path.name
