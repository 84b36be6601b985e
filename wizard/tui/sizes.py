"""The sizes that layouts turn at, in terminal cells."""

from __future__ import annotations

from textual.geometry import Size

SMALLEST = Size(60, 16)
USUAL = 80
WIDE = 120
BROAD = 170
LOW = 20  # lines
ROOMY = 30


def fits(size: Size) -> bool:
    """Whether anything useful fits."""
    return size.width >= SMALLEST.width and size.height >= SMALLEST.height
