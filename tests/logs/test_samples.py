"""Every row of the tables has a line that is recognised with the facts that it prints."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypedDict

import pytest

from wizard.logs import caddy, connecting, docker, gunicorn, haproxy, php_fpm, traefik, uwsgi
from wizard.logs.recognise import explain_line
from wizard.logs.tables import apache, envoy, go, haproxy_endings, kernel, nginx, systemd
from wizard.logs.tables import haproxy as haproxy_table

HERE = Path(__file__).parent
CATALOGUE = frozenset((HERE / "catalogue.txt").read_text().split())
NOON = 1795340000.0


class Sample(TypedDict):
    """A line and what must be found in it; `causes` are those that must be among the named ones."""

    row: str
    line: str
    program: str
    symptom: str
    phase: str
    errno: int | None
    upstream: str | None
    causes: list[str]


SAMPLES: list[Sample] = [json.loads(line) for line in (HERE / "samples.jsonl").read_text().splitlines()]
PROGRAMS = {
    "nginx",
    "apache",
    "haproxy",
    "caddy",
    "traefik",
    "envoy",
    "php-fpm",
    "gunicorn",
    "uwsgi",
    "kernel",
    "systemd",
    "docker",
}


@pytest.mark.parametrize("sample", SAMPLES, ids=[f"{s['program']}-{s['row']}-{s['symptom']}" for s in SAMPLES])
def test_line_is_recognised(sample: Sample) -> None:
    event = explain_line(sample["line"], zone_offset=0, year_hint=NOON)
    assert event is not None
    assert (event.program, event.symptom, event.phase.value, event.errno, event.upstream) == (
        sample["program"],
        sample["symptom"],
        sample["phase"],
        sample["errno"],
        sample["upstream"],
    )
    assert set(sample["causes"]) <= set(event.causes)
    assert sample["causes"] or not event.causes, "a line that is no failure names no cause"
    assert event.meaning.endswith(".")


def test_every_program_has_samples() -> None:
    assert {sample["program"] for sample in SAMPLES} == PROGRAMS


def _named_causes() -> set[str]:
    tables = (
        nginx.MESSAGES,
        apache.MESSAGES,
        haproxy_table.MESSAGES,
        caddy.MESSAGES,
        traefik.MESSAGES,
        php_fpm.MESSAGES,
        gunicorn.MESSAGES,
        uwsgi.MESSAGES,
        kernel.MESSAGES,
        systemd.MESSAGES,
        docker.MESSAGES,
        go.TEXTS,
    )
    named = {cause for table in tables for row in table for cause in row.causes}
    for errno in range(134):
        for upstream in (None, "127.0.0.1:1", "10.0.0.1:1", "unix:/x"):
            named.update(connecting.connect_failure(errno, upstream).causes)
    named.update(cause for flag in envoy.FLAGS.values() for cause in flag.causes)
    named.update(cause for ending in haproxy_endings.STATES.values() for cause in ending.causes)
    named.update(cause for _, ending in haproxy_endings.LAYERS for cause in ending.causes)
    named.update(cause for sample in SAMPLES for cause in sample["causes"])
    return named


def test_causes_are_in_the_catalogue() -> None:
    named = _named_causes()
    assert named <= CATALOGUE
    assert len(named) > 70
    assert len(CATALOGUE) == 121


def test_rows_say_a_sentence() -> None:
    for table in (nginx.MESSAGES, apache.MESSAGES, haproxy_table.MESSAGES):
        for row in table:
            assert row.meaning[0].isalnum()
            assert row.meaning.endswith(".")
            assert "!" not in row.meaning


def test_termination_states_of_haproxy_are_known() -> None:
    for who in "CSPLRIDUKcs":
        assert who in haproxy_endings.STATES
    assert haproxy.PROGRAM == "haproxy"


@pytest.mark.parametrize("path", sorted((HERE / "captured").iterdir()), ids=lambda path: path.name)
def test_captured_log_is_read_without_a_raise(path: Path) -> None:
    from wizard.logs.recognise import explain_text

    data = path.read_bytes()
    explained = list(explain_text(data, zone_offset=0, year_hint=NOON))
    assert [number for number, _ in explained] == list(range(1, len(data.splitlines()) + 1))
    known = [event for _, event in explained if event is not None]
    assert all(event.program in PROGRAMS for event in known)
    if "access" in path.name:
        assert not known
    elif path.name.endswith(".error.log"):
        assert len(known) > len(explained) * 0.8


def test_captured_nginx_error_log_names_its_faults() -> None:
    from wizard.logs.recognise import explain_text

    data = (HERE / "captured" / "nginx1.22__nginx.error.log").read_bytes()
    symptoms = {event.symptom for _, event in explain_text(data, zone_offset=0) if event is not None}
    assert symptoms == {
        "connect-refused",
        "connect-timeout",
        "connect-denied",
        "connect-invalid",
        "host-unreachable",
        "no-route",
        "socket-missing",
        "socket-denied",
        "socket-refused",
        "socket-queue-full",
        "reset-early",
        "closed-early",
        "response-timeout",
        "handshake-timeout",
        "body-cut",
        "body-reset",
        "header-too-big",
        "header-invalid",
        "not-http",
        "http1-to-http2",
        "no-live-upstreams",
        "name-not-found",
        "resolver-failed",
        "resolver-missing",
        "target-without-scheme",
        "certificate-expired",
        "certificate-name",
        "tls-refused",
    }
