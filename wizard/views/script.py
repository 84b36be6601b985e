"""The commands of a diagnosis as a shell script for the person to read and run.

Owns its form. May not know files.
"""

from __future__ import annotations

from collections.abc import Iterable

from wizard.views.diagnosis import Card


def script(cards: Iterable[Card]) -> str:
    """Commands as a shell script: the repair and its proof are active, the rest is there as comments."""
    lines = ["#!/bin/bash", "set -eu"]
    for card in cards:
        lines += ["", *_commented(f"{card.stage} {card.number}: {card.why} ({', '.join(card.marks)})")]
        lines += [card.run] if card.stage in {"Fix", "Verify"} else _commented(card.run)
        if card.undo:
            lines += _commented(f"undo: {card.undo}")
    return "\n".join(lines) + "\n"


def _commented(said: str) -> list[str]:
    return [f"# {part}" for part in said.split("\n")]
