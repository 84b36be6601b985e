"""What the linter proves: each rule broken once, with the exact place of the break."""

from __future__ import annotations

import pytest

from tests.flow.samples import CAUSES, ENTRY, FIREWALL, SERVER, VOCABULARY, library, sound
from wizard.flow import paths
from wizard.flow.lint import lint

LOOK_ALIKE = """\
- id: other
  title: t
  summary: s
  article: a
  decisive: service
  needs: {listener: absent, service: stopped}
"""


def problems(*, entry: str = ENTRY, server: str = SERVER, firewall: str = FIREWALL, causes: str = CAUSES) -> list[str]:
    return [str(problem) for problem in lint(library(entry, server, firewall, causes=causes), VOCABULARY)]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) == 1, old
    return text.replace(old, new)


def test_the_sample_is_sound() -> None:
    assert lint(sound(), VOCABULARY) == []


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("refused: listener", "refused: listner", [
            "upstream-server.yaml:11:16: no step is called 'listner' (did you mean listener?)",
        ]),
        ("for: server\n", "for: server\nstart: conect\n", [
            "upstream-server.yaml:4:8: no step is called 'conect' (did you mean connect?)",
        ]),
        ("for: server\n", "for: server\nstart: listener\n", [
            "upstream-server.yaml:6:3: the step 'connect' is never reached from 'listener'",
        ]),
        ("check: connect", "check: conect", [
            "upstream-server.yaml:6:12: no check is called 'conect' (did you mean connect?)",
        ]),
        ("      timed-out: {flow: firewall}\n", "", [
            "upstream-server.yaml:9:5: the check 'connect' can come to timed-out, which leads nowhere",
        ]),
        ("timed-out: {flow", "timedout: {flow", [
            "upstream-server.yaml:9:5: the check 'connect' can come to timed-out, which leads nowhere",
            "upstream-server.yaml:12:7: the check 'connect' never comes to 'timedout' (did you mean timed-out?)",
        ]),
        ("{flow: firewall}", "{flow: firewal}", [
            "upstream-server.yaml:12:18: no flow is called 'firewal' (did you mean firewall?)",
        ]),
        ("{flow: firewall}", '{flow: "502"}', [
            "upstream-server.yaml:12:18: the flow '502' is for a route, and goes on for a server here",
            ("upstream-server.yaml:12:18: the flow goes in a circle:"
            " 502/route -> 502/servers -> upstream-server/connect -> 502/route"),
        ]),
        ("{flow: firewall}", "{flow: upstream-server}", [
            "upstream-server.yaml:12:18: the flow goes in a circle: upstream-server/connect -> upstream-server/connect",
        ]),
        ("running: done", "running: connect", [
            ("upstream-server.yaml:24:16: the flow goes in a circle: upstream-server/connect ->"
            " upstream-server/listener -> upstream-server/service -> upstream-server/connect"),
        ]),
        ("{cause: upstream-service-stopped}", "{cause: upstream-service-stoped}", [
            ("upstream-server.yaml:23:16: no cause is called 'upstream-service-stoped'"
            " (did you mean upstream-service-stopped?)"),
        ]),
        ("title: Can the gateway reach {server}?", "title: Can the gateway reach {sever}?", [
            "upstream-server.yaml:2:8: {sever} is no variable of a server (did you mean server?)",
        ]),
        ("to {server} succeed", "to {server succeed", [
            ("upstream-server.yaml:7:15: a single brace: write {{ or }} for the brace itself, {name} for a value"
            " (character 22 of the text)"),
        ]),
    ],
)  # fmt: skip
def test_a_broken_flow(old: str, new: str, expected: list[str]) -> None:
    found = problems(server=changed(SERVER, old, new))
    # A check that no step asks any more, or a circle's second step, is not what these rows are about.
    assert [problem for problem in found if "no flow asks" not in problem] == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("each: server", "each: route", [
            "502.yaml:14:11: each: route stands in a flow for a route, which can have only each: server",
            "502.yaml:15:11: the flow 'upstream-server' is for a server, and run for a route here",
        ]),
        ("    flow: upstream-server", "    flow: upstream-sever", [
            "502.yaml:15:11: no flow is called 'upstream-sever' (did you mean upstream-server?)",
        ]),
        ("next: deployed", "next: depoyed", [
            "502.yaml:16:11: no step is called 'depoyed' (did you mean deployed?)",
            "502.yaml:17:3: the step 'deployed' is never reached from 'route'",
        ]),
        ("check: route", "check: connect", [
            "502.yaml:7:12: the check 'connect' is asked about a server, and this flow is for a route",
            "502.yaml:9:5: the check 'connect' can come to connected, refused, timed-out, which leads nowhere",
            "502.yaml:10:7: the check 'connect' never comes to 'found' (one of: connected, refused, timed-out)",
            "502.yaml:11:7: the check 'connect' never comes to 'none' (one of: connected, refused, timed-out)",
        ]),
        (", dont-know: done}", "}", ["502.yaml:20:5: the question can come to dont-know, which leads nowhere"]),
        ("then: {yes: done, no: done,", "then: {yes: done, never: done,", [
            "502.yaml:20:5: the question can come to no, which leads nowhere",
            "502.yaml:20:23: the question never comes to 'never' (one of: no)",
        ]),
    ],
)  # fmt: skip
def test_a_broken_entry(old: str, new: str, expected: list[str]) -> None:
    assert problems(entry=changed(ENTRY, old, new)) == expected


def test_one_status_selects_one_flow() -> None:
    again = changed(FIREWALL, "for: server\n", "for: server\nstatus: [504, 503]\n")
    assert problems(firewall=again) == ["firewall.yaml:4:15: the status '503' selects the flow '502' already"]


def test_a_command_of_a_person() -> None:
    own = 'flow: own\ntitle: t\nfor: host\nsteps:\n  a: {argv: [/bin/sh, -ec, "id"], then: {succeeded: done, faild: done}}\n'
    found = lint(library(own), VOCABULARY)
    assert [str(problem) for problem in found] == [
        "own.yaml:5:13: a command for a shell: give the program and its words instead",
        "own.yaml:5:35: a command can come to failed, unknown, which leads nowhere",
        "own.yaml:5:59: a command never comes to 'faild' (did you mean failed?)",
    ]


# --- every path ----------------------------------------------------------------------------------------------


def test_a_flow_that_ends_at_a_cause_without_what_it_needs() -> None:
    server = changed(SERVER, "unknown: done\n  service:", "unknown: service\n  service:")
    assert problems(server=server) == [
        (
            "upstream-server.yaml:23:16: what 'upstream-service-stopped' needs does not hold on every path that leads here"
            " (for example 502/route: found, 502/servers: some, upstream-server/connect: refused,"
            " upstream-server/listener: unknown, upstream-server/service: stopped)"
        )
    ]


def test_a_flow_that_ends_at_a_cause_that_is_ruled_out() -> None:
    causes = changed(CAUSES, "excludes: {listener: present}", "excludes: {connect: refused}")
    assert problems(causes=causes) == [
        (
            "upstream-server.yaml:23:16: 'upstream-service-stopped' is ruled out by 'connect' on a path that leads here"
            " (for example 502/route: found, 502/servers: some, upstream-server/connect: refused,"
            " upstream-server/listener: absent, upstream-server/service: stopped)"
        )
    ]


def test_what_was_observed_before_a_hand_over_counts() -> None:
    server = changed(SERVER[: SERVER.index("  service:")], "absent: service", "absent: {flow: firewall}")
    firewall = FIREWALL[: FIREWALL.index("  clock:")] + SERVER[SERVER.index("  service:") :]
    found = problems(server=server, firewall=firewall)
    assert [problem.split(": ")[0] for problem in found] == ["firewall.yaml:8:16"]
    server = changed(server, "timed-out: {flow: firewall}", "timed-out: done")
    assert problems(server=server, firewall=firewall) == []


def test_what_was_observed_before_each_counts() -> None:
    causes = changed(CAUSES, "    listener: absent", "    listener: absent\n    route: found")
    (problem,) = problems(causes=causes)
    assert "502/route: unknown" in problem
    assert problems(causes=causes, entry=changed(ENTRY, "unknown: servers", "unknown: done")) == []


def test_the_first_of_alternatives_or_the_second_holds() -> None:
    needs = CAUSES[CAUSES.index("  needs:") : CAUSES.index("  excludes:")]
    either = "  needs:\n    - {connect: refused, service: stopped, listener: absent}\n    - {connect: [unknown], service: stopped, listener: absent}\n"
    causes = CAUSES.replace(needs, either)
    assert problems(causes=causes) == [
        "causes.yaml:7:18: 'upstream-service-stopped' rests on 'connect' being unknown, and that is no observation"
    ]


def test_a_value_that_a_question_names_must_be_there() -> None:
    server = changed(
        SERVER,
        "    check: listener\n",
        "    check: listener\n    question: Errno {connect.errno}, pid {listener.pid}?\n",
    )
    assert problems(server=server) == [
        (
            "upstream-server.yaml:16:15: {connect.errno} has no value on a path that leads here"
            " (for example 502/route: found, 502/servers: some, upstream-server/connect: unknown)"
        ),
        (
            "upstream-server.yaml:16:15: {listener.pid} has no value on a path that leads here"
            " (for example 502/route: found, 502/servers: some, upstream-server/connect: refused)"
        ),
    ]
    server = changed(
        SERVER, "    check: service\n", "    check: service\n    question: Listener {listener.edit} {service.unt}?\n"
    )
    assert problems(server=server) == [
        "upstream-server.yaml:22:15: {service.unt} is no variable that is known (did you mean service.unit?)"
    ]


def test_a_proof_that_would_take_too_long_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "MAX_STATES", 1)
    assert problems() == [
        (
            "upstream-server.yaml:23:16: too many paths lead to 'upstream-service-stopped':"
            " it cannot be proven to hold here"
        )
    ]


# --- causes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("    listener: absent", "    listner: absent", [
            "causes.yaml:6:5: no check is called 'listner' (did you mean listener?)",
            "causes.yaml:26:13: {listener.edit} has no value: 'listener' is not in every alternative of needs",
        ]),
        ("    listener: absent", "    listener: [absent, gone]", [
            "causes.yaml:6:24: the check 'listener' never comes to 'gone' (one of: absent, present, unknown)",
            "causes.yaml:26:13: 'listener' has no 'edit' where it is gone",
        ]),
        ("{listener: present}", "{listener: [present, absent]}", [
            "causes.yaml:6:5: 'upstream-service-stopped' needs what excludes it: listener: absent",
            ("upstream-server.yaml:23:16: 'upstream-service-stopped' is ruled out by 'listener' on a path that leads here"
            " (for example 502/route: found, 502/servers: some, upstream-server/connect: refused,"
            " upstream-server/listener: absent, upstream-server/service: stopped)"),
        ]),
        ("{listener: present}", "{listener: unknown}", [
            "causes.yaml:8:24: 'upstream-service-stopped' rests on 'listener' being unknown, and that is no observation",
        ]),
        ("decisive: service", "decisive: servic", [
            "causes.yaml:4:13: the decisive check 'servic' is not needed (did you mean service?)",
        ]),
        ("excludes:", "explains: [upstream-service-stopped, nothing]\n  excludes:", [
            "causes.yaml:8:14: 'upstream-service-stopped' explains itself",
            "causes.yaml:8:40: no cause is called 'nothing' (one of: upstream-service-stopped)",
        ]),
        ('title: "{service.unit}', 'title: "{service.units}', [
            "causes.yaml:2:10: 'service' has no 'units' where it is stopped (did you mean unit?)",
        ]),
        ("on {server}, because", "on {clock.seconds}, because", [
            "causes.yaml:3:12: {clock.seconds} has no value: 'clock' is not in every alternative of needs",
        ]),
        ("on {server}, because", "on {servr}, because", [
            "causes.yaml:3:12: {servr} is no variable that is known (did you mean server?)",
        ]),
        ('run: [systemctl, start, "{service.unit}"]', "run: [systemctl, start, <unit>]", [
            "causes.yaml:15:31: a fix with the placeholder '<unit>': only complete commands are printed",
        ]),
        ('run: [systemctl, start, "{service.unit}"]', "run: [sudo, bash, -c, x]", [
            "causes.yaml:15:12: a command for a shell: give the program and its words",
        ]),
        ("when: {service: [stopped]}", "when: {service: [stoped]}", [
            "causes.yaml:15:31: 'service' has no 'unit' where it is stoped",
            "causes.yaml:20:24: the check 'service' never comes to 'stoped' (did you mean stopped?)",
        ][1:]),
        ("run: chmod 777", "run: chmod {mode}", [
            "causes.yaml:29:12: {mode} is no variable that is known",
        ]),
    ],
)  # fmt: skip
def test_a_broken_cause(old: str, new: str, expected: list[str]) -> None:
    found = problems(causes=changed(CAUSES, old, new))
    # Where an observation is misspelled, the flow that ends there cannot give it either.
    assert [problem for problem in found if "does not hold on every path" not in problem] == expected


def test_a_check_that_no_flow_asks() -> None:
    causes = changed(CAUSES, "    listener: absent", "    listener: absent\n    clock: steady")
    firewall = (
        FIREWALL[: FIREWALL.index("  clock:")]
        + "  own: {ask: q, choices: {yes: y}, then: {yes: done, dont-know: done}}\n"
    )
    assert problems(causes=causes, firewall=firewall)[0] == (
        "causes.yaml:7:5: 'upstream-service-stopped' needs 'clock', which no flow asks"
    )


def test_confirmed_needs_the_decisive_check() -> None:
    needs = CAUSES[CAUSES.index("  needs:") : CAUSES.index("  excludes:")]
    causes = CAUSES.replace(needs, "  needs:\n    - {listener: absent, service: stopped}\n    - {listener: absent}\n")
    causes = causes.replace("{service.unit}", "{server}").replace("{service.since}", "then")
    assert problems(causes=causes) == [
        "causes.yaml:7:7: confirmed without the decisive check 'service' (certainty: likely?)"
    ]
    assert problems(causes=causes.replace("- {listener: absent}", "- {listener: absent, certainty: likely}")) == []


def test_a_command_may_name_what_its_when_observed() -> None:
    extra = "    - {stage: fix, run: [kill, '{listener.pid}'], why: w, when: {listener: present}}\n"
    causes = changed(CAUSES, "  commands:\n", "  commands:\n" + extra)
    needs = CAUSES[CAUSES.index("    listener: absent") : CAUSES.index("    service: stopped")]
    causes = causes.replace(needs, "").replace("excludes: {listener: present}", "priority: 1")
    found = problems(causes=causes)
    assert found == ["causes.yaml:26:13: {listener.edit} has no value: 'listener' is not in every alternative of needs"]


def test_a_condition_narrower_than_the_subject() -> None:
    causes = LOOK_ALIKE.replace("decisive: service", "decisive: route").replace(
        "{listener: absent, service: stopped}", "{route: none}"
    )
    causes += "  commands:\n    - {stage: inspect, run: [x, '{url}', '{server}'], why: w, when: {service: stopped}}\n"
    assert problems(causes=CAUSES + causes) == [
        "causes.yaml:38:42: {server} is no variable of a route, at which this cause can be found",
        "causes.yaml:38:70: the check 'service' is about a server, which is narrower than this cause's subject",
    ]


def test_two_causes_that_nothing_tells_apart() -> None:
    said = "hold together and nothing decides between them"
    (problem,) = problems(causes=CAUSES + LOOK_ALIKE)
    assert problem.startswith(f"causes.yaml:36:10: 'other' and 'upstream-service-stopped' {said}")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  decisive", "  priority: 1\n  decisive"),
        ("  decisive", "  explains: [upstream-service-stopped]\n  decisive"),
        ("service: stopped}", "service: running}"),
        ("service: stopped}", "service: stopped, certainty: likely}"),
        ("listener: absent, ", "listener: present, "),
    ],
)
def test_two_causes_that_something_tells_apart(old: str, new: str) -> None:
    assert problems(causes=CAUSES + changed(LOOK_ALIKE, old, new)) == []


@pytest.mark.parametrize(
    ("narrower", "told"),
    [
        ("{listener: absent, service: stopped, connect: refused}", True),
        ("{service: stopped}", True),
        ("{service: [stopped, running]}", True),
        ("{listener: absent, service: [running]}", False),
        ("{connect: refused, service: stopped}", False),
    ],
)
def test_a_cause_that_always_comes_with_another(narrower: str, told: bool) -> None:
    other = changed(LOOK_ALIKE, "{listener: absent, service: stopped}", narrower)
    assert bool(problems(causes=CAUSES + other)) == told


def test_an_exclusion_that_always_holds_tells_apart() -> None:
    narrower = changed(LOOK_ALIKE, "service: stopped}", "service: stopped, connect: timed-out}")
    assert len(problems(causes=CAUSES + narrower)) == 1
    assert problems(causes=changed(CAUSES, "{listener: present}", "{connect: timed-out}") + narrower) == []


def test_causes_that_explain_each_other() -> None:
    one = changed(CAUSES, "  excludes:", "  explains: [other]\n  excludes:")
    other = changed(LOOK_ALIKE, "  decisive", "  explains: [upstream-service-stopped]\n  decisive")
    assert problems(causes=one + other) == [
        "causes.yaml:36:14: causes explain each other in a circle: upstream-service-stopped -> other -> upstream-service-stopped"
    ]
