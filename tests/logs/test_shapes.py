"""What is remembered of lines that are alike is what each of them would have said alone."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.logs.test_unwrap import OUTER, WRAPPINGS
from wizard.logs import shapes
from wizard.logs.hints import Hints
from wizard.logs.recognise import explain_text, explained
from wizard.logs.shapes import Meaning, told_lines
from wizard.model import LogEvent

LINES: list[str] = [
    json.loads(line)["line"] for line in (Path(__file__).parent / "samples.jsonl").read_text().splitlines()
]
NOON = 1795340000.0
CAPTURED = sorted((Path(__file__).parent / "captured").iterdir())
USUAL = (
    "2026/11/22 09:28:{second:02} [error] 146#146: *{n} connect() failed (111: Connection refused) while connecting to "
    'upstream, client: 192.0.2.{n}, server: x, request: "GET /cart/{n} HTTP/1.1", upstream: "http://127.0.0.1:{port}/cart/{n}"'
    ', host: "x"'
)

Said = tuple[Meaning | None, int | None]


def alone(data: bytes) -> list[Said]:
    return [(_meaning(event), _seconds(event)) for _, event in explain_text(data, zone_offset=0, year_hint=NOON)]


def together(data: bytes) -> list[Said]:
    told = list(told_lines(data, zone_offset=0, year_hint=NOON))
    assert [number for number, _, _ in told] == list(range(1, len(told) + 1))
    return [(meaning, time) for _, meaning, time in told]


def _meaning(event: LogEvent | None) -> Meaning | None:
    if event is None:
        return None
    return Meaning(event.program, event.symptom, event.phase, event.errno, event.upstream, event.meaning, event.causes)


def _seconds(event: LogEvent | None) -> int | None:
    return int(event.time) if event is not None and event.time is not None else None


def changed(line: str, dice: random.Random) -> str:
    """A line with some digits changed, wherever they stand: in an errno as likely as in a client's address."""
    characters = list(line)
    places = [at for at, character in enumerate(characters) if character.isascii() and character.isdigit()]
    for at in dice.sample(places, min(len(places), dice.randint(1, 6))):
        characters[at] = str(dice.randrange(10))
    return "".join(characters)


def told_alike(lines: Sequence[str]) -> None:
    data = "\n".join(lines).encode()
    for line, remembered, said in zip(lines, together(data), alone(data), strict=True):
        assert remembered == said, line


@pytest.mark.parametrize("path", CAPTURED, ids=lambda path: path.name)
def test_a_captured_log_says_the_same(path: Path) -> None:
    data = path.read_bytes()
    assert together(data * 3) == alone(data * 3)


def test_each_line_again_and_again() -> None:
    told_alike([line for line in LINES for _ in range(4)])


@settings(max_examples=200, deadline=None)
@given(
    lines=st.lists(st.sampled_from(LINES), min_size=1, max_size=4),
    around=st.sampled_from([None, *OUTER]),
    seed=st.integers(0, 1 << 32),
)
def test_lines_with_other_numbers(lines: list[str], around: str | None, seed: int) -> None:
    dice = random.Random(seed)
    wrapped = [WRAPPINGS[around](line) if around is not None else line for line in lines]
    wrapped = [line.replace("\r", "").replace("\n", " ") for line in wrapped]
    told_alike(
        [other for line in wrapped for other in (line, line, line, changed(line, dice), changed(line, dice), line)]
    )


def test_only_what_decides_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(text: str, hints: Hints) -> LogEvent | None:
        asked.append(text)
        return explained(text, hints)

    monkeypatch.setattr("wizard.logs.shapes.explained", counted)
    lines = [USUAL.format(second=n % 60, n=100 + n % 100, port=9001 + n % 2) for n in range(1000)]
    told = list(told_lines("\n".join(lines).encode(), zone_offset=0))
    assert {meaning.upstream for _, meaning, _ in told if meaning is not None} == {"127.0.0.1:9001", "127.0.0.1:9002"}
    assert told[1][2] == 1795339681
    assert len(asked) <= 4


def test_where_nothing_repeats_little_is_learnt() -> None:
    dice = random.Random(7)
    memory = shapes._Memory(Hints())
    for _ in range(3000):
        memory.explain(bytes(dice.choices(b"abcxyz019 []:/", k=40)))
    assert memory._learnt <= shapes.TRIALS
    assert len(memory._shapes) <= shapes.MOST_SHAPES


def test_bytes_that_the_journal_printed_are_no_numbers() -> None:
    line = USUAL.format(second=9, n=3, port=9001)
    refused = json.dumps({"MESSAGE": list(line.encode())})
    reset = json.dumps({"MESSAGE": list(line.replace("connect()", "cannect()").encode())})
    told_alike([refused, refused, refused, reset, refused])


def test_the_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "MOST_SHAPES", 8)
    monkeypatch.setattr(shapes, "MOST_ANSWERS", 8)
    told_alike([line for line in LINES[:60] for _ in range(4)])
