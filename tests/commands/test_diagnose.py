"""`diagnose` keeps its promises: formats, exit status, JSON that is whole and alone on standard output."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.commands.calling import HEALTHY, OVER, STOPPED, TWO, Here, program
from tests.commands.shapes import EVIDENCE, REPORT, misfits
from tests.recorded.cases import CASES
from wizard.session.file import load
from wizard.session.report import Report

FORMATS = ("text", "short", "json", "markdown", "html", "nagios")
STATUS = {STOPPED: 2, TWO: 2, OVER: 1, HEALTHY: 0}


def report_of(out: str) -> dict[str, Any]:
    """Standard output as one object, and nothing beside it."""
    value = json.loads(out)
    assert isinstance(value, dict)
    return value


@pytest.mark.parametrize("session", STATUS)
@pytest.mark.parametrize("form", FORMATS)
def test_the_exit_status_is_the_same_in_every_format(call: Here, session: str, form: str) -> None:
    done = call("diagnose", "--from", session, "--format", form)
    assert (done.status, done.err) == (STATUS[session], "")
    assert done.out.strip()


@pytest.mark.parametrize("name", CASES)
def test_the_json_has_the_shape_of_the_interface(call: Here, name: str) -> None:
    done = call("diagnose", "--from", str(CASES[name].session), "--json")
    report = report_of(done.out)
    assert misfits(report, REPORT) == []
    assert [one for part in report["evidence"].values() for one in misfits(part, EVIDENCE)] == []
    assert msgspec.json.decode(done.out, type=Report).verdict == report["verdict"]


@pytest.mark.parametrize("name", CASES)
def test_every_reference_leads_to_evidence_and_every_word_is_kebab_case(call: Here, name: str) -> None:
    report = report_of(call("diagnose", "--from", str(CASES[name].session), "--json").out)
    concluded = [*report["causes"], *report["warnings"]]
    cited = {e for one in concluded for e in (*one["evidence"], *one["explains"])}
    cited |= {e for one in (*report["ruled_out"], *report["steps"]) for e in one["evidence"]}
    assert cited <= set(report["evidence"])
    ids = [one["id"] for one in (*concluded, *report["ruled_out"], *report["open"])]
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in ids)
    named = {one["id"] for one in concluded}
    assert not named & {one["id"] for one in (*report["ruled_out"], *report["open"])}


def test_json_is_short_for_the_format_and_both_at_once_are_refused(call: Here) -> None:
    first, second = (call("diagnose", "--from", STOPPED, *words) for words in (["--json"], ["--format", "json"]))
    plain = [report_of(one.out) for one in (first, second)]
    for one in plain:
        for step in one["steps"]:
            step["seconds"] = 0
    assert plain[0] == plain[1]
    assert call("diagnose", "--from", STOPPED, "--json", "--format", "text").status == 64


def test_a_fix_is_complete(call: Here) -> None:
    for name in ("service-stopped", "wrong-port", "socket-permission", "cookie-too-big"):
        report = report_of(call("diagnose", "--from", str(CASES[name].session), "--json").out)
        commands = report["causes"][0]["commands"]
        fixes = [one for one in commands if one["stage"] == "fix"]
        assert fixes, name
        assert any(one["changes"] for one in fixes)
        assert all(one["needs_root"] for one in fixes if one["changes"])
        assert not any(re.search(r"<[a-z]+>|\{[a-z.]+\}|\bTODO\b|\.\.\.", one["run"]) for one in fixes)
        edited = [n for n, one in enumerate(fixes) if one["edits"]]
        tested = [n for n, one in enumerate(fixes) if one["run"].endswith(" -t")]
        reloaded = [n for n, one in enumerate(fixes) if "reload" in one["run"] or "-HUP" in one["run"]]
        assert not edited or (tested and reloaded and max(edited) < min(tested) < min(reloaded)), fixes


def test_no_gateway_is_said_in_valid_json(call: Here, tmp_path: Path) -> None:
    empty = tmp_path / "empty.jsonl"
    empty.write_text(
        '{"gateway-wizard-session":1,"wizard":"0.1.0","id":"x","started":1.0}\n{"end":{"asked":0,"events":0}}\n'
    )
    done = call("diagnose", "http://shop.example/", "--from", str(empty), "--json")
    report = report_of(done.out)
    assert (done.status, report["verdict"], report["causes"]) == (3, "unknown", [])
    assert "gateway" in report["error"]["what"].lower()
    assert report["error"]["hint"]
    assert misfits(report, REPORT) == []


def test_what_is_no_target_is_wrong_usage_in_json_too(call: Here) -> None:
    for word in ("ftp://shop.example/", "http://", "two words", "http://shop.example:99999/", "unix:relative"):
        done = call("diagnose", word, "--json")
        assert done.status == 64, word
        report = report_of(done.out)
        assert report["error"]["what"]
        assert report["verdict"] == "unknown"
        assert misfits(report, REPORT) == []
        plain = call("diagnose", word)
        assert (plain.status, plain.out) == (64, "")
        assert plain.err.startswith("gateway-wizard: ")
        assert "hint: " in plain.err


def test_a_session_is_recorded_and_tells_the_same(call: Here, tmp_path: Path) -> None:
    file = tmp_path / "again.jsonl.gz"
    first = call("diagnose", "--from", STOPPED, "--record", str(file), "--format", "short")
    assert file.stat().st_mode & 0o777 == 0o600
    before = {reply.number: reply for reply in load(STOPPED).asked}
    after = {reply.number: reply for reply in load(file).asked if reply.number in before}
    assert after.items() <= before.items()
    assert len(after) > len(before) / 2
    assert call("diagnose", "--from", str(file), "--format", "short").out == first.out
    assert call("report", str(file), "--format", "short").out == first.out


def test_a_recording_that_cannot_be_written_is_said(call: Here, tmp_path: Path) -> None:
    done = call("diagnose", "--from", STOPPED, "--record", str(tmp_path / "missing" / "file"), "--json")
    assert done.status == 66
    assert "folder" in report_of(done.out)["error"]["what"]


def test_the_plan_says_everything_and_sends_nothing(call: Here) -> None:
    done = call("diagnose", "--from", STOPPED, "--plan")
    assert done.status == 0
    for heading in ("Commands", "Files, sockets and processes", "network destinations"):
        assert heading in done.out
    assert "127.0.0.1:8000" in done.out
    assert "/etc/nginx/nginx.conf" in done.out


@pytest.mark.parametrize("word", ["0", "-5", "15x", "", "inf", "nan", "1e9", "9999d"])
@pytest.mark.parametrize("option", ["--since", "--timeout"])
def test_spans_have_limits(call: Here, option: str, word: str) -> None:
    done = call("diagnose", "--from", STOPPED, f"{option}={word}")
    assert (done.status, done.out) == (64, "")


def test_answers_have_to_fit_a_question(call: Here, tmp_path: Path) -> None:
    flow = tmp_path / "deploy.yaml"
    flow.write_text(
        "flow: deploy\ntitle: Was it the deploy?\nfor: route\nsteps:\n"
        "  deployed:\n    ask: Was something deployed?\n    choices: {yes: Yes, no: No}\n"
        "    then: {yes: request, no: request, dont-know: request}\n"
        "  request:\n    check: request\n    then: {" + _all_outcomes("request") + "}\n"
    )
    base = ("diagnose", "--from", STOPPED, "--flow", str(flow))
    assert call(*base, "--answer", "deploy/deployed=yes").status in {2, 3}
    assert call(*base, "--answer", "deploy/deployed@http://shop.example/?a=b=no").status in {2, 3}
    for word in ("deploy/deplyed=yes", "deploy/deployed=maybe", "deployed=yes", "deploy/deployed"):
        assert call(*base, "--answer", word).status == 64, word
    answers = tmp_path / "answers"
    answers.write_text("# what we know\n\ndeploy/deployed=yes\n")
    assert call(*base, "--answers", str(answers)).status in {2, 3}
    answers.write_text("# what we know\n\ndeploy/deployed\n")
    done = call(*base, "--answers", str(answers))
    assert (done.status, f"{answers}:3" in done.err) == (66, True)
    assert call(*base, "--answers", str(tmp_path / "none")).status == 66


def test_a_flow_file_with_an_error_is_named_with_line_and_column(call: Here, tmp_path: Path) -> None:
    flow = tmp_path / "mine.yaml"
    flow.write_text("flow: mine\ntitle: Mine\nfor: route\nsteps:\n  one:\n    chek: request\n    then: {ok: done}\n")
    done = call("diagnose", "--from", STOPPED, "--flow", str(flow))
    assert done.status == 66
    assert re.search(rf"{re.escape(str(flow))}:\d+:\d+: ", done.err)
    dangling = flow.read_text().replace("chek", "check").replace("done", "nowhere")
    flow.write_text(dangling)
    done = call("diagnose", "--from", STOPPED, "--flow", str(flow), "--json")
    assert done.status == 66
    assert re.fullmatch(rf"{re.escape(str(flow))}:\d+:\d+", report_of(done.out)["error"]["where"])
    assert call("diagnose", "--from", STOPPED, "--flow", str(tmp_path / "none.yaml")).status == 66
    assert call("diagnose", "--from", STOPPED, "--flow", "nosuchflow").status == 64


def test_a_damaged_session_is_named_with_its_line(call: Here, tmp_path: Path) -> None:
    file = tmp_path / "damaged.jsonl"
    file.write_text(
        '{"gateway-wizard-session":1,"wizard":"0.1.0","id":"x","started":1.0}\n'
        '{"event":"started","at":1.0,"target":null,"flow":"walk","since":900.0,"wizard":"0.1.0"}\n'
        '{"event":"step"}\n{"end":{"asked":0,"events":2}}\n'
    )
    for words in (["diagnose", "--from"], ["report"], ["replay"]):
        done = call(*words, str(file))
        assert done.status == 66
        assert f"{file}:3" in done.err
    file.write_text("no session\n")
    assert call("report", str(file)).status == 66
    assert call("report", str(tmp_path / "missing")).status == 66


def test_a_command_runs_only_from_a_file_that_nobody_else_writes(call: Here, tmp_path: Path) -> None:
    flow = tmp_path / "own.yaml"
    flow.write_text(
        "flow: own\ntitle: Own\nfor: route\nsteps:\n  own:\n    argv: [systemctl, is-active, shop]\n"
        "    then: {succeeded: done, failed: done, unknown: done}\n"
    )
    words = ("diagnose", "--from", STOPPED, "--flow", str(flow), "--json")
    flow.chmod(0o600)
    assert "was not asked" in report_of(call(*words).out)["steps"][0]["summary"]  # the recorded host never was
    flow.chmod(0o666)
    assert "somebody else" in report_of(call(*words).out)["steps"][0]["summary"]


def test_as_a_program_only_json_is_on_standard_output() -> None:
    done = program("diagnose", "--from", STOPPED, "--json")
    assert (done.status, done.err) == (2, "")
    assert misfits(report_of(done.out), REPORT) == []


def _all_outcomes(check: str) -> str:
    from wizard.commands.library import known_checks

    return ", ".join(f"{word}: done" for word in known_checks()[check].outcomes)
