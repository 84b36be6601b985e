"""Whatever a terminal, a collector or a mail puts around a line, its facts stay the same."""

from __future__ import annotations

import html
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wizard.logs.recognise import explain_line
from wizard.model import LogEvent

LINES: list[str] = [
    json.loads(line)["line"] for line in (Path(__file__).parent / "samples.jsonl").read_text().splitlines()
]
PAGES = {"no available server", "no healthy upstream"}  # bodies of answers: only alone are they what they seem

Wrap = Callable[[str], str]


def _html(line: str) -> str:
    return "&gt; " + html.escape(line)


def _escaped(line: str) -> str:
    return '"' + line.replace("\\", "\\\\").replace('"', '\\"') + '"'


WRAPPINGS: dict[str, Wrap] = {
    "compose": lambda line: f"web-1  | {line}",
    "compose, coloured": lambda line: f"\x1b[36mweb_1      |\x1b[0m {line}",
    "pm2": lambda line: f"0|app  | {line}",
    "kubectl --prefix": lambda line: f"[pod/web-6d/nginx] {line}",
    "kubectl --timestamps": lambda line: f"2026-11-22T09:28:09.123456789Z {line}",
    "kubectl, both": lambda line: f"[pod/web-6d/nginx] 2026-11-22T09:28:09.123456789Z {line}",
    "journalctl": lambda line: f"Nov 23 14:07:31 web-03 start.sh[812]: {line}",
    "journalctl, one-digit day": lambda line: f"Nov  3 14:07:31 web-03 app[812]: {line}",
    "journalctl -o short-iso": lambda line: f"2026-11-22T09:28:09+0000 web-03 docker[812]: {line}",
    "syslog with priority": lambda line: f"<187>Nov 22 09:28:09 web-03 app: {line}",
    "RFC 5424": lambda line: f"<165>1 2026-11-22T09:28:09.123+00:00 web-03 app 812 - - {line}",
    "rsyslog, high precision": lambda line: f"2026-11-22T09:28:09.123456+00:00 web-03 app[812]: {line}",
    "docker json-file": lambda line: json.dumps(
        {"log": line + "\n", "stream": "stderr", "time": "2026-11-22T09:28:09Z"}
    ),
    "journal -o json": lambda line: json.dumps({"__REALTIME_TIMESTAMP": "1795339689000000", "MESSAGE": line}),
    "journal, bytes": lambda line: json.dumps({"MESSAGE": list(line.encode()), "_PID": "812"}),
    "containerd": lambda line: f"2026-11-22T09:28:09.123456789Z stderr F {line}",
    "msg": lambda line: json.dumps({"level": "error", "msg": line}),
    "message": lambda line: json.dumps(
        {"@timestamp": "2026-11-22T09:28:09Z", "message": line, "kubernetes": {"pod": "x"}}
    ),
    "compose with JSON": lambda line: f"web-1 | {json.dumps({'log': line})}",
    "logfmt": lambda line: f"ts=1 level=error msg={json.dumps(line)}",
    "mail": lambda line: f"> > {line}",
    "mail as HTML": _html,
    "bullet": lambda line: f"- {line}",
    "typographer's bullet": lambda line: f"  • {line}",
    "backticks": lambda line: f"`{line}`",
    "chat": lambda line: f"```{line}```",
    "bold": lambda line: f"**{line}**",
    "table": lambda line: f"| {line} |",
    "line number": lambda line: f"12: {line}",
    "cat -n": lambda line: f"    12\t{line}",
    "list number": lambda line: f"1. {line}",
    "grep": lambda line: f"error.log:{line}",
    "grep -n": lambda line: f"/var/log/nginx/error.log:12:{line}",
    "quoted": _escaped,
    "single quotes": lambda line: f"'{line}'",
    "carriage return": lambda line: f"{line}\r\n",
    "no-break spaces": lambda line: line.replace(" ", "\u00a0"),
    "typographer's quotes": lambda line: line.replace('"', "\u201d"),
    "colours": lambda line: f"\x1b[31m{line}\x1b[0m",
    "colours without escape": lambda line: f"[0m[31m{line}[0m",
    "colours, caret": lambda line: f"^[[31m{line}^[[0m",
    "colours, hex": lambda line: f"\\x1b[31m{line}\\x1b[0m",
    "stern": lambda line: f"shop-6d5f app \u203a {line}",
    "stern, coloured": lambda line: f"shop-6d5f-abcde nginx {line}",
    "stern of all namespaces": lambda line: f"default shop-6d5f app \u203a {line}",
    "kubetail": lambda line: f"[shop-6d5f-x7 app] {line}",
    "journalctl -o short-precise": lambda line: f"Nov 22 09:28:09.123456 web-03 app[812]: {line}",
    "journalctl -o short-full": lambda line: f"Sun 2026-11-22 09:28:09 UTC web-03 app[812]: {line}",
    "journalctl -o short-monotonic": lambda line: f"[12345.678901] web-03 app[812]: {line}",
    "journalctl -o short-unix": lambda line: f"1795339689.123456 web-03 app[812]: {line}",
    "logcli": lambda line: f'2026-11-22T09:28:09Z {{app="shop", pod="shop-6d5f"}} {line}',
    "aws logs tail": lambda line: f"2026-11-22T09:28:09.123000+00:00 ecs/app/0123456789abcdef {line}",
    "CloudWatch": lambda line: json.dumps({"timestamp": 1795339689123, "message": line, "logStreamName": "x"}),
    "Fluentd": lambda line: f"2026-11-22 09:28:09.123456789 +0000 kube.app: {json.dumps({'log': line})}",
    "Google": lambda line: json.dumps({"textPayload": line, "timestamp": "2026-11-22T09:28:09Z"}),
    "Elastic": lambda line: json.dumps({"_index": "f", "_source": {"message": line}}),
    "Loki": lambda line: json.dumps({"labels": {"app": "x"}, "line": line, "timestamp": "2026-11-22T09:28:09Z"}),
    "Heroku": lambda line: f"2026-11-22T09:28:09.123456+00:00 app[web.1]: {line}",
    "docker service logs": lambda line: f"shop_web.1.0abcdef@node1    | {line}",
    "compose -t": lambda line: f"web-1  | 2026-11-22T09:28:09.123456789Z {line}",
    "pm2 with a time": lambda line: f"0|shop     | 2026-11-22T09:28:09: {line}",
    "foreman": lambda line: f"09:28:09 web.1  | {line}",
    "supervisor": lambda line: f"2026-11-22 09:28:09,123 DEBG 'shop' stderr output: {line}",
    "ts": lambda line: f"[2026-11-22 09:28:09] {line}",
    "wiki": lambda line: f"{{noformat}}{line}{{noformat}}",
    "wiki, quote cut": lambda line: f"{{quote}}{line}",
    "spreadsheet": lambda line: '"' + line.replace('"', '""') + '"',
    "tmux": lambda line: f"\u2502{line}\u2502",
    "prompt": lambda line: f"root@web:~# {line}",
    "zgrep": lambda line: f"/var/log/nginx/error.log.2.gz:{line}",
    "journal, JSON in JSON": lambda line: json.dumps({"MESSAGE": json.dumps({"log": line + "\n"})}),
    "RFC 5424 with data": lambda line: f'<165>1 2026-11-22T09:28:09Z web app 812 ID47 [ex@1 iut="3"] {line}',
    "colours, unicode": lambda line: f"\\u001b[31m{line}\\u001b[0m",
}


def facts(event: LogEvent | None) -> tuple[object, ...] | None:
    if event is None:
        return None
    return (
        event.program,
        event.symptom,
        event.phase,
        event.errno,
        event.upstream,
        event.request,
        event.causes,
        event.status,
    )


@pytest.mark.parametrize("name", WRAPPINGS)
def test_wrapped_line_keeps_its_facts(name: str) -> None:
    turn = list(WRAPPINGS).index(name) % 3  # each line in a third of the wrappings
    for line in LINES[turn::3]:
        assert facts(explain_line(WRAPPINGS[name](line))) == facts(explain_line(line)), line


# What changes every quote or space of a line comes first: nobody retypes a wrapping in another typography.
UNLIKELY = {"no-break spaces", "typographer's quotes", "mail as HTML", "logfmt", "journal, bytes"}
OUTER = sorted(set(WRAPPINGS) - UNLIKELY)


@settings(max_examples=150, deadline=None)
@given(
    line=st.sampled_from([x for x in LINES if x not in PAGES]),
    names=st.lists(st.sampled_from(OUTER), min_size=2, max_size=3),
)
def test_nested_wrappings_keep_the_facts(line: str, names: list[str]) -> None:
    wrapped = line
    for name in names:
        wrapped = WRAPPINGS[name](wrapped)
    assert facts(explain_line(wrapped)) == facts(explain_line(line))


def test_prefix_gives_the_time() -> None:
    line = "connect() failed (111: Connection refused) while connecting to upstream, client: 192.0.2.7, server: x"
    for wrapped in (
        f"2026-11-22T09:28:09Z {line}",
        f"Nov 22 09:28:09 web nginx[812]: {line}",
        json.dumps({"log": line, "time": "2026-11-22T09:28:09.0Z"}),
        json.dumps({"__REALTIME_TIMESTAMP": "1795339689000000", "MESSAGE": line}),
        f"2026-11-22T10:28:09+01:00 stderr F {line}",
    ):
        event = explain_line(wrapped, zone_offset=0, year_hint=1795340000.0)
        assert event is not None
        assert event.time == 1795339689.0


def test_prefix_gives_the_program() -> None:
    said = "WARNING: [pool www] server reached max_children setting (5), consider raising it"
    event = explain_line(f"Nov 22 09:28:09 web php-fpm8.2[812]: {said}")
    assert event is not None
    assert (event.program, event.pid) == ("php-fpm", 812)


def test_time_without_zone_is_no_time() -> None:
    line = LINES[0]
    told, untold = explain_line(line, zone_offset=3600), explain_line(line)
    assert told is not None
    assert untold is not None
    assert told.time == 1795339689.0 - 3600
    assert untold.time is None
