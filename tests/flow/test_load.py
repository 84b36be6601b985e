"""Reading flow and cause files: what a good file means, and where exactly a bad one is wrong."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tests.flow.samples import CAUSES, ENTRY, SERVER
from wizard.flow import nodes
from wizard.flow.language import At, Cause, Confidence, Flow, Problem, Stage, Target
from wizard.flow.load import load_causes, load_flow, read_flow
from wizard.flow.nodes import MAX_CHARACTERS


def flow_of(text: str) -> Flow:
    flow = load_flow("f.yaml", text)
    assert isinstance(flow, Flow), flow
    return flow


def told(found: object) -> list[str]:
    assert isinstance(found, list)
    assert all(isinstance(problem, Problem) for problem in found)
    return [str(problem) for problem in found]


def test_a_flow_as_written() -> None:
    flow = flow_of(ENTRY)
    assert (flow.name, flow.scope, flow.start, flow.status) == ("502", "route", "route", ("502", "503"))
    assert flow.at == At("f.yaml", 1, 1)
    assert flow.trusted
    route, servers, deployed = flow.steps
    assert (route.check, route.at) == ("route", At("f.yaml", 6, 3))
    assert route.target("found") == Target(step="servers", at=At("f.yaml", 10, 14))
    assert route.target("none") == Target(at=At("f.yaml", 11, 13))
    assert route.target("other") is None
    assert (servers.each, servers.flow, servers.next) == (
        "server",
        "upstream-server",
        Target(step="deployed", at=At("f.yaml", 16, 11)),
    )
    assert deployed.choices == (("yes", "Yes"), ("no", "No"))
    assert [word for word, _ in deployed.then] == ["yes", "no", "dont-know"]


def test_targets_of_every_kind() -> None:
    connect, _, service = flow_of(SERVER).steps
    assert connect.target("timed-out") == Target(flow="firewall", at=At("f.yaml", 12, 18))
    assert service.target("stopped") == Target(cause="upstream-service-stopped", at=At("f.yaml", 23, 16))


def test_a_step_may_lead_on_whatever_it_comes_to() -> None:
    flow = flow_of(
        "flow: x\ntitle: t\nfor: host\nsteps:\n  a: {check: clock, next: b}\n  b: {check: clock, next: done}\n"
    )
    assert flow.steps[0].target("unknown") == flow.steps[0].target("steady") == flow.steps[0].next
    assert flow.steps[0].then == ()


def test_a_command_of_a_person() -> None:
    text = (
        'flow: own\ntitle: t\nfor: host\nsteps:\n  a:\n    argv: [test, -e, "/run/a b"]\n    then: {succeeded: done}\n'
    )
    flow = load_flow("own.yaml", text, trusted=False)
    assert isinstance(flow, Flow)
    assert flow.steps[0].argv == ("test", "-e", "/run/a b")
    assert not flow.trusted


def test_scalars_stay_the_text_that_was_written() -> None:
    text = (
        "flow: x\ntitle: 1_000\nfor: route\nstatus: [502, no-answer]\nsteps:\n"
        "  a:\n    ask: 22:22\n    choices: {no: off, yes: 0x1F, null: ~, on: 2001-01-01}\n    then: {no: done}\n"
    )
    flow = flow_of(text)
    assert flow.title == "1_000"
    assert flow.status == ("502", "no-answer")
    assert flow.steps[0].ask == "22:22"
    assert flow.steps[0].choices == (("no", "off"), ("yes", "0x1F"), ("null", "~"), ("on", "2001-01-01"))


def test_a_cause_as_written() -> None:
    causes = load_causes("c.yaml", CAUSES)
    assert isinstance(causes, tuple)
    (cause,) = causes
    assert cause.id == "upstream-service-stopped"
    assert cause.at == At("c.yaml", 1, 3)
    assert cause.article == "Somebody stopped it.\n\nThe port is closed then."
    (need,) = cause.needs
    assert need.outcomes == (("listener", ("absent",)), ("service", ("stopped",)))
    assert need.certainty is Confidence.CONFIRMED
    assert cause.excludes == (("listener", ("present",)),)
    assert cause.refused == (("chmod 777 /run/app.sock", "Every local user could then speak to the application."),)
    start, show, correct = cause.commands
    assert (start.stage, start.run, start.changes, start.needs_root) == (
        Stage.FIX,
        ("systemctl", "start", "{service.unit}"),
        True,
        True,
    )
    assert start.undo == ("systemctl", "stop", "{service.unit}")
    assert start.when == (("service", ("stopped",)),)
    assert (show.stage, show.pipe, show.changes) == (Stage.INSPECT, ("tail", "-n", "20"), False)
    assert (correct.run, correct.edit) == ((), "listener.edit")


def test_alternatives_with_their_certainty() -> None:
    needs = "  needs:\n    - {listener: absent, service: stopped}\n    - {service: stopped, certainty: likely}\n"
    old = CAUSES[CAUSES.index("  needs:") : CAUSES.index("  excludes:")]
    causes = load_causes("c.yaml", CAUSES.replace(old, needs + "  explains: [a, b]\n  priority: -5\n"))
    assert isinstance(causes, tuple)
    assert [need.certainty for need in causes[0].needs] == [Confidence.CONFIRMED, Confidence.LIKELY]
    assert [need.at.line for need in causes[0].needs] == [6, 7]
    assert (causes[0].explains, causes[0].priority) == (("a", "b"), -5)


HEAD = "flow: x\ntitle: t\nfor: route\n"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["f:1:1: the file is empty"]),
        ("# only a comment\n", ["f:1:1: the file is empty"]),
        ("- a\n", ["f:1:1: a flow is a map, and this is a list"]),
        ("word\n", ["f:1:1: a flow is a map, and this is a text"]),
        ("flow: [x\n", ["f:2:1: no valid YAML: while parsing a flow sequence did not find expected ',' or ']'"]),
        ("flow: x\n\ttitle: y\n", ["f:2:1: no valid YAML: while scanning a plain scalar found a tab character that violates indentation"]),
        (HEAD + "--- \nflow: y\n", ["f:4:1: a second document: a file holds one"]),
        ("flow: &a x\n", ["f:1:7: an anchor: write each value out where it is used"]),
        ("flow: *a\n", ["f:1:7: an alias: write the value out"]),
        ("flow: !!str x\n", ["f:1:7: a tag: every value is read as the text that stands there"]),
        ("flow: !x {a: b}\n", ["f:1:7: a tag: every value is read as the text that stands there"]),
        ("flow: x\n<<: {a: b}\n", ["f:2:1: a merge key: write the entries out"]),
        ("flow: x\ntitle: y\nflow: z\n", ["f:3:1: the key 'flow' stands here twice (first on line 1)"]),
        ("? [a, b]\n: c\n", ["f:1:3: a key is a single word, not a list or a map"]),
        ('flow: x\ntitle: "a\\e[31mb"\n', ["f:2:8: a control character or an invisible one in a text"]),
        ('flow: x\ntitle: "a\\u202eb"\n', ["f:2:8: a control character or an invisible one in a text"]),
        ("flow: x\ntitle: a\x1bb\n", ["f:2:9: a character that YAML does not allow"]),
        (
            "title: t\nfor: route\nstpes: {}\n",
            [
                "f:1:1: a flow lacks 'flow'",
                "f:1:1: a flow lacks 'steps'",
                "f:3:1: a flow has no 'stpes' (did you mean steps?)",
            ],
        ),
        ("flow: X Y\ntitle: ''\nfor: servers\nsteps: {}\n", [
            "f:1:7: a flow's name is written in lower case with dashes, not 'X Y'",
            "f:2:8: title is empty",
            "f:3:6: for is a scope, not 'servers' (did you mean server?)",
            "f:4:8: a flow without steps",
        ]),
        (HEAD + "steps:\n", ["f:4:7: steps is a map, and this is a text"]),
        (HEAD + "steps: [a]\n", ["f:4:8: steps is a map, and this is a list"]),
        (HEAD + "steps:\n  a: done\n", ["f:5:6: a step is a map, and this is a text"]),
        (
            HEAD + "steps:\n  a: {chekc: x, then: {}}\n",
            ["f:5:3: a step has exactly one of check, ask, argv, each; it has none of them (did you mean check?)"],
        ),
        (
            HEAD + "steps:\n  a: {command: [df], then: {}}\n",
            ["f:5:3: a step has exactly one of check, ask, argv, each; it has none of them (did you mean argv?)"],
        ),
        (
            HEAD + "steps:\n  a: {check: x, ask: y, then: {}}\n",
            ["f:5:3: a step has exactly one of check, ask, argv, each; it has check and ask"],
        ),
        (
            HEAD + "steps:\n  a:\n    check: x\n    choices: {yes: y}\n    then:\n      b: {cuase: c}\n      c: {}\n",
            [
                "f:7:5: a step with 'check' has no 'choices' (one of: check, next, question, then, why)",
                "f:9:11: a target has no 'cuase' (did you mean cause?)",
                "f:10:10: a target names a step, or {cause: ID}, or {flow: NAME}, or done",
            ],
        ),
        (
            HEAD + "steps:\n  a: {check: x, then: {b: {cause: c, flow: d}}}\n",
            ["f:5:27: a target names a step, or {cause: ID}, or {flow: NAME}, or done"],
        ),
        (HEAD + "steps:\n  a: {check: x, then: {b: [c]}}\n", [
            "f:5:27: a step, done, {cause: ID} or {flow: NAME} is a text, and this is a list"
        ]),
        (HEAD + "steps:\n  a: {check: x, then: {}}\n", ["f:5:23: then leads nowhere"]),
        (HEAD + "steps:\n  a: {check: x}\n", [
                "f:5:3: a step leads on by 'then', outcome by outcome, or by 'next', whatever it comes to; it has neither"
            ]),
        (
            HEAD + "steps:\n  a: {check: x, then: {b: done}, next: done}\n",
            [
                "f:5:3: a step leads on by 'then', outcome by outcome, or by 'next', whatever it comes to; it has both"
            ],
        ),
        (HEAD + "steps:\n  a: {each: server, flow: y}\n", ["f:5:6: a step with 'each' lacks 'next'"]),
        (HEAD + "steps:\n  a: {each: pool, flow: y, next: done}\n", [
            "f:5:13: each is a scope, not 'pool' (one of: host, route, server)"
        ]),
        (HEAD + "steps:\n  done: {check: x, then: {a: done}}\n", [
            "f:5:3: no step can be called 'done': it is the word for the end of a flow"
        ]),
        (HEAD + "steps:\n  a: {argv: rm -rf /, then: {failed: done}}\n", [
            "f:5:13: argv is a list of words, never one line for a shell"
        ]),
        (HEAD + "steps:\n  a: {argv: [], then: {failed: done}}\n", ["f:5:13: argv is an empty list"]),
        (HEAD + "steps:\n  a: {ask: q, choices: {dont-know: x}, then: {dont-know: done}}\n", [
            "f:5:25: 'dont-know' is always offered, and is no choice of its own"
        ]),
        (HEAD + "status: [502, 502]\nsteps: {a: {check: x, then: {b: done}}}\n", ["f:4:15: status names '502' twice"]),
    ],
)  # fmt: skip
def test_a_bad_flow_is_refused_with_the_exact_place(text: str, problems: list[str]) -> None:
    assert told(load_flow("f", text)) == problems


CAUSE = "- {id: a, title: t, summary: s, article: x, decisive: c, needs: {c: d}"


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a: b\n", ["c:1:1: a file of causes is a list, and this is a map"]),
        ("[]\n", ["c:1:1: a file of causes is an empty list"]),
        ("- a\n", ["c:1:3: a cause is a map, and this is a text"]),
        ("- {id: a}\n", [f"c:1:3: a cause lacks '{key}'" for key in ("article", "decisive", "needs", "summary", "title")]),
        (CAUSE + "}\n" + CAUSE + "}\n", ["c:2:3: two causes are called 'a' (first on line 1)"]),
        (CAUSE + ", exludes: {c: d}}\n", ["c:1:73: a cause has no 'exludes' (did you mean excludes?)"]),
        (CAUSE.replace("{c: d}", "{certainty: likely}") + "}\n", ["c:1:65: needs without an observation"]),
        (CAUSE.replace("{c: d}", "{c: [], d: [e, e]}") + "}\n", [
            "c:1:69: an outcome is an empty list",
            "c:1:80: an outcome names 'e' twice",
        ]),
        (CAUSE.replace("{c: d}", "{c: d, certainty: sure}") + "}\n", [
            "c:1:83: 'sure' is no certainty (one of: confirmed, likely, possible)"
        ]),
        (CAUSE.replace("{c: d}", "d") + "}\n", ["c:1:65: needs is a list, and this is a text"]),
        (CAUSE + ", priority: high}\n", ["c:1:83: priority is a whole number, not 'high'"]),
        (CAUSE + ", commands: [{stage: repair, why: w, run: [x]}]}\n", [
            "c:1:92: 'repair' is no stage (one of: fix, inspect, prevent, verify)"
        ]),
        (CAUSE + ", commands: [{stage: fix, why: w, run: systemctl start x}]}\n", [
            "c:1:110: run is a list of words, never one line for a shell"
        ]),
        (CAUSE + ", commands: [{stage: fix, why: w}]}\n", ["c:1:84: a command has either 'run' or 'edit'"]),
        (CAUSE + ", commands: [{stage: fix, why: w, edit: '{a.b}', pipe: [x]}]}\n", [
            "c:1:84: 'pipe' reads what 'run' prints, and there is no 'run'"
        ]),
        (CAUSE + ", commands: [{stage: fix, why: w, edit: a.b}]}\n", [
            "c:1:111: edit names one value, as in {listener.edit}"
        ]),
        (CAUSE + ", commands: [{stage: fix, why: w, run: [x], changes: yes}]}\n", [
            "c:1:124: changes is true or false, not 'yes'"
        ]),
        (CAUSE + ", refused: [{run: x}]}\n", ["c:1:83: a refused fix lacks 'because'"]),
    ],
)  # fmt: skip
def test_a_bad_cause_is_refused_with_the_exact_place(text: str, problems: list[str]) -> None:
    assert told(load_causes("c", text)) == problems


def test_size_and_depth_are_bounded() -> None:
    assert told(load_flow("f", "a" * (MAX_CHARACTERS + 1))) == [
        f"f:1:1: the file is longer than {MAX_CHARACTERS} characters"
    ]
    for deep in ("[" * 500_000, "{a: " * 200_000, "- " * 400_000):
        assert "nested deeper than 20 levels" in told(load_flow("f", deep))[0]
    many = HEAD + "steps:\n" + "".join(f"  s{number}: {{check: x, then: {{y: done}}}}\n" for number in range(501))
    assert told(load_flow("f", many)) == ["f:5:3: more than 500 steps in one flow"]


def test_places_are_those_of_keys_and_values() -> None:
    places = read_flow("f", ENTRY).places
    place = places["flow", "502", "steps", "route", "then", "found"]
    assert (place.key, place.value) == (At("f", 10, 7), At("f", 10, 14))
    assert places["flow", "502", "status", "1"].value == At("f", 4, 15)


@given(st.text())
def test_any_text_is_a_flow_or_a_list_of_problems(text: str) -> None:
    for found in (load_flow("f", text), load_causes("f", text)):
        assert isinstance(found, Flow) or (found and all(isinstance(each, Problem | Cause) for each in found))


@given(st.data())
def test_a_damaged_file_never_raises(data: st.DataObject) -> None:
    for text in (SERVER, CAUSES):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 20)))
        damaged = (
            text[:start] + data.draw(st.text(alphabet="{}[]:,-'\"&*!|>% \n\tab\x00\ud800", max_size=6)) + text[end:]
        )
        for found in (load_flow("f", damaged), load_causes("f", damaged)):
            if isinstance(found, list):
                lines = damaged.count("\n") + 2
                assert all(1 <= problem.at.line <= lines and problem.at.column >= 1 for problem in found)
            else:
                assert isinstance(found, Flow | tuple)


def test_the_pure_reader_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = (load_flow("f", ENTRY), load_flow("f", SERVER), load_causes("c", CAUSES))
    monkeypatch.setattr(nodes, "_Loader", yaml.SafeLoader)
    assert (load_flow("f", ENTRY), load_flow("f", SERVER), load_causes("c", CAUSES)) == fast
    assert told(load_flow("f", "flow: &a x\n")) == ["f:1:7: an anchor: write each value out where it is used"]
