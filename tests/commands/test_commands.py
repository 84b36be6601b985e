"""Every other command of the interface is there and does what the interface says."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import msgspec
import pytest

from tests.commands.calling import HEALTHY, OVER, STOPPED, TWO, Here, program
from tests.commands.shapes import EXPLAINED, REPORT, ROUTES, misfits
from tests.recorded.cases import CASES
from wizard.cli import COMMANDS
from wizard.commands.library import library_for
from wizard.commands.run import run
from wizard.session.file import load

LINE = (
    "2026/11/22 09:39:10 [error] 811#811: *7 connect() failed (111: Connection refused) while connecting to upstream, "
    'client: 192.0.2.1, server: shop.example, request: "GET /cart HTTP/1.1", upstream: "http://127.0.0.1:8000/cart", '
    'host: "shop.example"\n'
)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_interface_explains_its_options(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        run([command, "--help"])
    assert left.value.code == 0
    assert command in capsys.readouterr().out


@pytest.mark.parametrize(
    "words",
    [
        ["--nonsense"],
        ["diagnose", "--nonsense"],
        ["diagnose", "--form", "json"],  # abbreviated: it may mean two options one day
        ["diagnose", "--format", "xml"],
        ["diagnose", "a", "b"],
        ["report"],
        ["compare", "one"],
        ["capture-case", "one"],
        ["fleet"],
        ["route"],
        ["cause"],
        ["cause", "nosuchcause"],
        ["flow", "paint"],
        ["flow", "show", "nosuchflow"],
        ["flow", "show"],
        ["demo", "nosuchincident"],
        ["schema", "nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage(call: Here, words: list[str]) -> None:
    done = call(*words)
    assert (done.status, done.out) == (64, "")
    assert done.err.startswith("gateway-wizard: ")
    assert "hint: " in done.err


@pytest.mark.parametrize(
    "words",
    [
        ["report", "/nonexistent"],
        ["replay", "/nonexistent"],
        ["resume", "/nonexistent"],
        ["resume"],
        ["compare", STOPPED, "/nonexistent"],
        ["fleet", "/nonexistent"],
        ["capture-case", "/nonexistent", "/tmp/x"],
        ["explain", "/nonexistent"],
        ["explain", "/"],
        ["flow", "lint", "/nonexistent"],
        ["diagnose", "--from", "/nonexistent"],
        ["route", "http://shop.example/", "--from", "/nonexistent"],
        ["report", "/"],
        ["capture-case", STOPPED, "/dev/null/x"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_read(call: Here, words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = call(*words)
    assert (done.status, done.out) == (66, "")
    assert done.err.startswith("gateway-wizard: ")


def test_a_report_is_printed_or_written_for_its_owner_only(call: Here, tmp_path: Path) -> None:
    printed = call("report", STOPPED, "--format", "markdown")
    file = tmp_path / "report.md"
    written = call("report", STOPPED, "--format", "markdown", "-o", str(file))
    assert (printed.status, written.status, written.out) == (2, 2, "")
    assert file.read_text() == printed.out
    assert file.stat().st_mode & 0o777 == 0o600
    assert call("report", STOPPED, "-o", str(tmp_path)).status == 66


def test_sessions_are_compared(call: Here) -> None:
    same = call("compare", STOPPED, STOPPED)
    assert same.status == 0
    assert "No difference" in same.out
    other = call("compare", STOPPED, HEALTHY)
    assert other.status == 1
    for said in ("cause-found -> ok", "upstream-service-stopped", "only in A", "502"):
        assert said in other.out
    turned = call("compare", HEALTHY, STOPPED)
    assert "ok -> cause-found" in turned.out
    assert "only in B" in turned.out


def test_a_fleet_is_a_line_each(call: Here, tmp_path: Path) -> None:
    assert call("fleet", str(tmp_path)).status == 66
    (tmp_path / "a.jsonl.gz").write_bytes(Path(HEALTHY).read_bytes())
    assert call("fleet", str(tmp_path)).status == 0
    (tmp_path / "b.jsonl.gz").write_bytes(Path(OVER).read_bytes())
    assert call("fleet", str(tmp_path)).status == 1
    (tmp_path / "c.jsonl").write_text("\x1b[2Jnothing\n")
    assert call("fleet", str(tmp_path)).status == 3
    (tmp_path / "d.jsonl.gz").write_bytes(Path(STOPPED).read_bytes())
    done = call("fleet", str(tmp_path))
    lines = done.out.splitlines()
    assert (done.status, len(lines)) == (2, 4)
    assert [next(word for word in ("unreadable", "cause-found", "warning", "ok") if word in line) for line in lines] == [
        "ok", "warning", "unreadable", "cause-found",
    ]  # fmt: skip
    assert "web1" in lines[0]
    assert "upstream-service-stopped" in lines[3]


def test_a_case_is_captured(call: Here, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "case"
    assert call("capture-case", TWO, str(folder)).status == 0
    expected = json.loads((folder / "expected.json").read_text())
    assert expected == json.loads(CASES["two-faults"].expected.read_text())
    assert load(folder / "session.jsonl") == load(TWO)


def test_a_route_is_shown(call: Here) -> None:
    done = call("route", "http://shop.example/cart", "--from", STOPPED, "--json")
    shown = json.loads(done.out)
    assert (done.status, misfits(shown, ROUTES)) == (0, [])
    assert shown["routes"][0]["upstream"]["servers"][0]["address"] == "127.0.0.1:8000"
    plain = call("route", "http://shop.example/cart", "--from", STOPPED)
    assert "127.0.0.1:8000" in plain.out
    nobody = call("route", "https://shop.example:8443/", "--from", STOPPED, "--json")
    assert (nobody.status, json.loads(nobody.out)["routes"]) == (3, [])
    assert call("route", "unix:/run/app.sock", "--from", STOPPED).status == 64
    wrong = call("route", "ftp://x/", "--json")
    assert wrong.status == 64
    assert json.loads(wrong.out)["error"]["what"]


def test_the_route_is_the_same_in_a_report(call: Here) -> None:
    report = json.loads(call("diagnose", "--from", STOPPED, "--json").out)
    shown = json.loads(call("route", report["target"]["url"], "--from", STOPPED, "--json").out)
    assert shown["routes"] == [report["target"]["route"]]


def test_lines_are_explained(call: Here, tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    log.write_text(LINE + "nothing that anybody knows\n")
    done = call("explain", str(log), "--json")
    shown = json.loads(done.out)
    assert (done.status, misfits(shown, EXPLAINED)) == (0, [])
    first, second = shown["lines"]
    assert (first["gateway"], first["phase"], first["errno"], first["upstream"]) == (
        "nginx", "connecting", 111, "127.0.0.1:8000",
    )  # fmt: skip
    assert "upstream-not-listening" in first["causes"]
    assert (second["line"], second["gateway"]) == (2, None)
    shown_to_people = call("explain", str(log)).out
    assert "nginx, connecting, 127.0.0.1:8000, errno 111 ECONNREFUSED\n" in shown_to_people
    assert "  line 1, " in shown_to_people
    assert "1 line is not recognised." in shown_to_people
    log.write_text("nothing that anybody knows\n")
    assert call("explain", str(log)).status == 3
    log.write_bytes(b"")
    assert call("explain", str(log), "--json").status == 3


def test_a_log_is_told_in_groups(call: Here, tmp_path: Path) -> None:
    log = tmp_path / "error.log"
    unknown = "2026/11/22 09:28:09 [error] 1#1: *3 something that \x1b[31mnobody explained\n"
    log.write_text(
        (LINE + LINE.replace(":8000", ":8001")) * 500 + unknown + "2026/11/22 09:28:09 [notice] 1#1: exiting\n"
    )
    said = call("explain", str(log)).out
    assert said.count("consistent with: ") == 1
    assert "upstreams: 127.0.0.1:8000 (500), 127.0.0.1:8001 (500)" in said
    assert "1,000 lines, 1 to 1000" in said
    assert "nobody explained" in said
    assert "\x1b" not in said
    assert "1 line is no failure: nginx 1." in said


def test_rotated_logs_are_read(call: Here, tmp_path: Path) -> None:
    packed = gzip.compress((LINE * 3).encode())
    for name, data in (
        ("error.log.2.gz", packed),
        ("cut.gz", packed[:-9]),
        ("utf16.log", LINE.encode("utf-16")),
    ):
        log = tmp_path / name
        log.write_bytes(data)
        assert json.loads(call("explain", str(log), "--json").out)["lines"][0]["errno"] == 111, name
    for name, data in (("error.log.gz", b"\x1f\x8bnothing"), ("error.log.xz", b"\xfd7zXZ\x00")):
        log = tmp_path / name
        log.write_bytes(data)
        done = call("explain", str(log))
        assert (done.status, done.out) == (66, "")
        assert str(log) in done.err


def test_lines_come_from_standard_input_too() -> None:
    for words in (["explain"], ["explain", "-"]):
        done = program(*words, "--json", given=b"\x1b[31m" + LINE.encode() + b"\xff\xfe\x00\n")
        shown = json.loads(done.out)
        assert (done.status, shown["lines"][0]["gateway"]) == (0, "nginx")


def test_flows_are_listed_shown_drawn_and_proved(call: Here, tmp_path: Path) -> None:
    listed = call("flow", "list").out
    library, entry = library_for(None)
    assert [line.split()[0] for line in listed.splitlines()] == list(library.flows)
    assert library.flows[entry].title in listed
    for name in library.flows:
        assert call("flow", "show", name).status == 0
        assert call("flow", "graph", name).out.startswith("digraph")
    assert call("flow", "lint").status == 0
    wrong = tmp_path / "mine.yaml"
    wrong.write_text(
        "flow: mine\ntitle: Mine\nfor: route\nsteps:\n  one:\n    check: nosuchcheck\n    then: {ok: done}\n"
    )
    done = call("flow", "lint", str(wrong))
    assert done.status == 2
    assert f"{wrong}:6:" in done.out


def test_every_cause_has_an_article(call: Here) -> None:
    library, _ = library_for(None)
    for name, cause in library.causes.items():
        done = call("cause", name)
        assert done.status == 0
        assert done.out.startswith(f"{cause.id}\n\n")
        assert cause.article.strip().splitlines()[0] in call("cause", cause.id).out
        assert cause.article.strip().splitlines()[0] in done.out


def test_the_schemas_fit_what_is_printed(call: Here) -> None:
    for what in ("report", "session", "flow"):
        schema = json.loads(call("schema", what).out)
        assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
        references = {one.partition('"')[0] for one in json.dumps(schema).split('"#/$defs/')[1:]}
        assert references <= set(schema["$defs"])
    assert call("schema").out == call("schema", "report").out
    report = json.loads(call("schema").out)["$defs"]["Report"]
    assert set(REPORT) <= set(report["properties"])
    assert set(REPORT) <= set(report["required"])


def test_the_incidents_are_listed_and_each_can_be_played(call: Here) -> None:
    listed = call("demo")
    assert listed.status == 0
    titles = {case.name: case.title for case in CASES.values() if case.title}
    assert len(titles) >= 8
    for name, title in titles.items():
        assert any(line.split(maxsplit=1) == [name, title] for line in listed.out.splitlines())
    assert call("demo", "../wizard/_incidents/wrong-port").status == 64


def test_an_incident_is_played_in_lines_without_a_terminal() -> None:
    done = program("demo", "wrong-port", "--plain")
    assert done.status == 2
    assert "upstream-wrong-port" in done.out or "8001" in done.out
    assert "\x1b" not in done.out + done.err


def test_a_session_is_replayed_in_lines() -> None:
    done = program("replay", STOPPED, "--plain")
    assert done.status == 2
    assert "shop.service is stopped" in done.out


def test_the_expected_verdict_is_a_shape_of_its_own() -> None:
    expected = msgspec.json.decode(CASES["wrong-port"].expected.read_bytes())
    assert set(expected) == {"verdict", "causes", "exit_status"}
