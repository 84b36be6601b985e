"""Whatever a host says, no output acts on a terminal, and neither Markdown nor HTML can be broken out of."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace

from tests.payloads import PAYLOADS
from tests.session.making import AT, GATEWAY, cause, route
from tests.strategies import ANSWER_TYPES, ANSWERS, QUESTIONS, built
from wizard.checks.registry import Edit, Gap, checks
from wizard.flow.language import Cause, Command, Stage
from wizard.host.port import Reply
from wizard.host.questions import AnyAnswer, AnyQuestion, FileRead, Me, ReadFile
from wizard.model import Broken, Place
from wizard.session.build import build
from wizard.session.compare import compared
from wizard.session.events import (
    AttemptStarted,
    Disputed,
    Event,
    Finished,
    InputRefused,
    Overruled,
    Skipped,
    Started,
    StepDone,
    SubjectFound,
    SubjectRef,
    Watched,
)
from wizard.session.evidence import by_hand_of, excerpt_of, what_of
from wizard.session.print_html import html
from wizard.session.print_markdown import markdown
from wizard.session.print_nagios import nagios
from wizard.session.print_text import short, text
from wizard.session.report import Report
from wizard.session.session import Session
from wizard.text import visible

LARGE = 5000
HOSTILE = {name: os.fsdecode(payload) for name, payload in PAYLOADS.items() if len(payload) < LARGE}
PRINTERS: dict[str, Callable[[Report], str]] = {
    "text": text,
    "short": short,
    "markdown": markdown,
    "html": html,
    "nagios": nagios,
    "json": lambda report: msgspec.json.encode(report).decode(),
    "compare": lambda report: compared(report, report),
}


def catalogue() -> list[Cause]:
    """Causes whose titles, summaries and commands name what the host says."""
    return [
        cause(
            "stopped",
            {"connect": "refused"},
            commands=(
                Command(Stage.INSPECT, "Shows {service.unit}.", AT, run=("cat", "{service.unit}")),
                Command(Stage.FIX, "Changes {service.unit}.", AT, edit="service.edit"),
            ),
        ),
        msgspec.structs.replace(
            cause("died", {"earlier": "died"}), title="{service.unit} died", summary="{service.unit} of {server.name}"
        ),
        cause("open", {"reply": "closed", "listener": "absent"}),
        cause("ruled-out", {"reply": "closed", "connect": "timed-out"}),
    ]


def hostile(said: str) -> Session:
    """A session in which everything that a host can say says this."""
    foreign = os.fsencode(said)
    named = msgspec.structs.replace(
        route(said, f"{said}:80"),
        url=said,
        gateway=msgspec.structs.replace(GATEWAY, config=said, user=said, unit=said, binary=said),
        virtual_host=msgspec.structs.replace(route().virtual_host, name=said, at=Place(said, 1)),
        location=msgspec.structs.replace(route().location, pattern=said, at=Place(said, 2)),
        action=msgspec.structs.replace(route().action, to=said, at=Place(said, 3)),
        undecided=(said,),
    )
    server = f"{said} of {said}"
    edit = Edit(said or "f", 3, said, f"{said};", above=(said,), below=(said,))

    def step(check: str, subject: str, outcome: str) -> StepDone:
        return StepDone(
            f"flow/{check}",
            check,
            subject,
            outcome,
            said,
            1.0,
            0.0,
            1,
            ("e1",),
            {"unit": said, "edit": edit, "sender": said, "status": 502, "seconds": 1.0},
            gaps=(Gap(said, said, said),),
            by_hand=said,
            first_seen=1.0,
            last_seen=2.0,
        )

    events: list[Event] = [
        Started(1.0, said, "walk", 900.0, "0.1.0"),
        SubjectFound(SubjectRef("host", "host", gateway=named.gateway)),
        SubjectFound(SubjectRef(said, "route", "host", said, named)),
        SubjectFound(SubjectRef(server, "server", said, said, named, said)),
        step("request", said, "bad-gateway"),
        step("connect", server, "refused"),
        step("service", server, "stopped"),
        step("earlier", server, "died"),
        step("reply", server, "closed"),
        step("listener", server, "unknown"),
        Skipped("flow/peer", server, said),
        InputRefused(Broken(said, Place(said, 1), said)),
        Finished(2.0, "complete"),
        AttemptStarted(2, 3.0),
        replace(step("request", said, "bad-gateway"), attempt=2),
        replace(step("connect", server, "refused"), attempt=2),
        replace(step("service", server, "stopped"), attempt=2),
        replace(step("reply", server, "closed"), attempt=2),
        replace(step("listener", server, "unknown"), attempt=2),
        replace(step("unit-at-boot", server, "disabled"), attempt=2, values={"run": said}),
        Overruled("flow/reply", server, said, 2),
        Disputed(4.0, said),
        Watched(5.0, 60.0, said, 1, 1, {said: 1}, (said,), 1, said),
        Finished(6.0, "complete"),
    ]
    me = Me(0, said, (said,), said, said, said)
    asked = (Reply(1, ReadFile(said), FileRead(said, foreign, said, 1.0), 1.0, 0.1),)
    return Session("20260101T000000Z-x-0000", 1.0, "0.1.0", said, {}, me, asked, tuple(events))


def report_of(said: str) -> Report:
    return build(hostile(said), catalogue(), checks())


def acts(out: str) -> list[str]:
    """What a terminal would act on, or an eye would miss. A tab only moves to the right; diffs need it."""
    shown = out.replace("\t", "")
    return [] if visible(shown, limit=10**9) == shown else [c for c in set(shown) if visible(c) != c and c != "\n"]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("form", PRINTERS)
def test_no_output_acts_on_a_terminal(name: str, form: str) -> None:
    out = PRINTERS[form](report_of(HOSTILE[name]))
    assert acts(json.dumps(json.loads(out), ensure_ascii=False) if form == "json" else out) == []


@pytest.mark.parametrize("name", HOSTILE)
def test_the_short_forms_stay_one_line(name: str) -> None:
    report = report_of(HOSTILE[name])
    assert short(report).count("\n") == 1
    line = nagios(report)
    assert line.count("\n") == 1
    assert line.count("|") == 1
    assert line.startswith("GATEWAY CRITICAL: ")


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_stays_text(name: str) -> None:
    out = markdown(report_of(HOSTILE[name]))
    tokens = MarkdownIt("commonmark").enable("table").parse(out)
    inner = [child for token in tokens for child in token.children or ()]
    kinds = {token.type for token in (*tokens, *inner)}
    assert not kinds & {"html_block", "html_inline", "image", "blockquote_open"}
    links = [str(one.attrGet("href")) for one in inner if one.type == "link_open"]
    assert all(re.fullmatch(r"#e\d+", link) for link in links), links
    innocent = MarkdownIt("commonmark").enable("table").parse(markdown(report_of("harmless")))
    assert _headings(tokens) == _headings(innocent)


def _headings(tokens: list[Token]) -> list[str]:
    return [one.tag for one in tokens if one.type == "heading_open"]


PAGE = (
    "html", "meta", "title", "style", "h1", "h2", "h3", "p", "pre", "dl", "dt", "dd", "ol", "ul", "li", "a",
    "table", "tr", "td", "th", "details", "summary",
)  # fmt: skip


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, tuple(name for name, _ in attrs)))

    def handle_comment(self, data: str) -> None:
        self.tags.append(("comment", (data,)))


@pytest.mark.parametrize("name", HOSTILE)
def test_html_stays_text(name: str) -> None:
    page, innocent = _Page(), _Page()
    page.feed(html(report_of(HOSTILE[name])))
    innocent.feed(html(report_of("harmless")))
    assert page.tags == innocent.tags
    assert {tag for tag, _ in page.tags} <= set(PAGE)


def test_a_page_fetches_nothing() -> None:
    page = html(report_of("harmless"))
    assert "default-src 'none'" in page
    assert not any(word in page for word in ("src=", "@import", "url("))
    assert all(re.fullmatch(r"#e\d+", link) for link in re.findall(r'href="([^"]*)"', page))


@settings(max_examples=150, deadline=None)
@given(QUESTIONS, ANSWERS)
def test_evidence_is_visible_text(question: AnyQuestion, answer: AnyAnswer) -> None:
    for said in (what_of(question), by_hand_of(question)):
        assert acts(said) == []
        assert "\n" not in said
    assert acts(excerpt_of(answer)) == []


_LARGE: dict[object, st.SearchStrategy[object]] = {
    str: st.just("x" * 300 + "\n"),
    bytes: st.just(b"y\n" * 5000),
    int: st.just(1),
    float: st.just(1.0),
    bool: st.just(value=True),
    type(None): st.none(),
}


@pytest.mark.parametrize("kind", ANSWER_TYPES)
@settings(max_examples=5, deadline=None)
@given(data=st.data())
def test_a_large_answer_is_shown_in_a_few_lines(kind: type[object], data: st.DataObject) -> None:
    out = excerpt_of(data.draw(built(kind, _LARGE)))
    assert len(out.splitlines()) <= 20
    assert len(out) < 20_000


def test_the_route_is_shown() -> None:
    out = text(build(hostile("harmless"), catalogue(), checks()))
    assert "0.0.0.0:80 > harmless > harmless > shop > harmless, harmless:80" in out


def test_a_foreign_text_makes_no_line_of_its_own() -> None:
    out = text(report_of("shop.service\nOK         No fault found."))
    assert not any(line.startswith("OK ") for line in out.splitlines())
