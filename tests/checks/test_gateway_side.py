"""What is decided at the gateway: by its own words about one request, and by its files."""

from __future__ import annotations

import asyncio

import pytest

from tests.checks.asking import CONFIG, NOW, FakeAsker, log_of, logged, replied, subject_of
from wizard.checks.circle import circle
from wizard.checks.generated import own_answer
from wizard.checks.handling import handling
from wizard.checks.pool import set_aside
from wizard.checks.registry import CheckFunction, Edit, Finding
from wizard.checks.reloaded import loaded
from wizard.checks.vhost import is_slip, vhost
from wizard.host.questions import Connect, Connected, ReadLog, Request

URL = "http://shop.example/"


def config(inside: str, *, before: str = "", server: str = "listen 80; server_name shop.example;") -> str:
    return f"events {{ }}\nhttp {{\n{before}\nserver {{\n{server}\n{inside}\n}}\n}}\n"


def proxied(to: str = "http://127.0.0.1:8001", more: str = "") -> str:
    return f"location / {{\nproxy_pass {to};\n{more}\n}}"


def seen(check: CheckFunction, text: str, *lines: str, status: int = 502, changed: float = NOW - 1000) -> Finding:
    answers: dict[type, object] = {Request: replied(status), ReadLog: log_of(*lines), Connect: Connected()}
    asker = FakeAsker(answers, {CONFIG: text, "/srv/off": ""}, changed)

    async def run() -> Finding:
        return await check(await subject_of(asker, URL), asker)

    return asyncio.run(run())


REFUSED = "connect() failed (111: Connection refused) while connecting to upstream"


def test_an_upstream_that_no_file_names_is_asked_by_an_older_configuration() -> None:
    found = seen(handling, config(proxied()), logged(REFUSED, upstream="http://127.0.0.1:8000/"))
    assert found.outcome == "elsewhere"
    assert found.values["asked"] == "127.0.0.1:8000"


def test_an_upstream_of_the_files_is_the_same() -> None:
    assert seen(handling, config(proxied()), logged(REFUSED, upstream="http://127.0.0.1:8001/")).outcome == "same"


def test_an_address_behind_a_configured_name_is_no_other_one() -> None:
    text = config(proxied("http://app.internal:8001"))
    assert seen(handling, text, logged(REFUSED, upstream="http://10.0.0.7:8001/")).outcome == "same"


def test_lines_of_another_virtual_host_are_not_about_this_request() -> None:
    text = config(proxied(), before="server { listen 8080; server_name inner; }")
    line = logged(REFUSED, upstream="http://127.0.0.1:9000/", server="inner")
    assert seen(handling, text, line).outcome == "quiet"


def test_older_lines_are_not_about_this_request() -> None:
    line = logged(REFUSED, upstream="http://127.0.0.1:8000/", at="2026/11/23 22:04:00")
    assert seen(handling, config(proxied()), line).outcome == "quiet"


def test_a_deadline_that_came_before_the_configured_one_is_an_older_one() -> None:
    said = "upstream timed out (110: Connection timed out) while reading response header from upstream"
    line = logged(said, upstream="http://127.0.0.1:8001/")
    assert seen(handling, config(proxied()), line, status=504).outcome == "sooner"


@pytest.mark.parametrize(
    ("inside", "outcome"),
    [
        (f"return 503;\n{proxied()}", "line"),
        (proxied(more="return 503;"), "line"),
        ("location / {\nreturn 503;\n}", "returns"),
        (f"if (-f /srv/off) {{\nreturn 503;\n}}\n{proxied()}", "switch"),
        (f"if (-f /srv/gone) {{\nreturn 503;\n}}\n{proxied()}", "passes"),
        (proxied(), "passes"),
        (f"return 500;\n{proxied()}", "other-status"),
    ],
)
def test_who_makes_the_status(inside: str, outcome: str) -> None:
    assert seen(own_answer, config(inside), status=503).outcome == outcome


def test_an_answering_line_is_taken_out_and_nothing_else() -> None:
    found = seen(own_answer, config(f"if ($host) {{ return 503; }}\n{proxied()}"), status=503)
    edit = found.values["edit"]
    assert isinstance(edit, Edit)
    assert edit.after == "if ($host) { }"


def test_a_success_is_nobodys_failure() -> None:
    assert seen(own_answer, config("return 200 ok;"), status=200).outcome == "no-error"


@pytest.mark.parametrize(
    ("before", "server", "outcome"),
    [
        ("", "listen 80; server_name shop.example;", "named"),
        ("", "listen 80; server_name other.example.org;", "catch-all"),
        ("", "listen 80; server_name shop.exmaple;", "near-name"),
        ("server { listen 80; server_name a.example; }", "listen 80; server_name shop.exmaple;", "near-name"),
        ("server { listen 80; server_name a.example; }", "listen 8080; server_name shop.example;", "other-listener"),
        ("server { listen 80; server_name a.example; }", "listen 80; server_name b.example;", "fallen-through"),
        ("server { listen 80 default_server; server_name _; }", "listen 80; server_name b.example;", "catch-all"),
        (
            "server { listen 80; server_name shop.example; return 502; }",
            "listen 80; server_name shop.example;",
            "listed-twice",
        ),
    ],
)
def test_which_virtual_host_was_meant(before: str, server: str, outcome: str) -> None:
    assert seen(vhost, config(proxied(), before=before, server=server)).outcome == outcome


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("shop.example", "shop.exmaple", True),
        ("www.shop.example", "shop.example", True),
        ("shop.example", "shpo.example", True),
        ("api.example", "app.example", False),
        ("web1.example", "web2.example", False),
        ("shop.example", "stop.example", False),
        ("shop.example", "shop.example.org", False),
    ],
)
def test_a_slip_of_the_pen(one: str, other: str, same: bool) -> None:
    assert is_slip(one, other) is same
    assert is_slip(other, one) is same


POOL = "upstream app {\nserver 127.0.0.1:8000;\nserver 127.0.0.1:8001;\n}"
NO_LIVE = "no live upstreams while connecting to upstream"


def test_servers_are_set_aside_after_failures() -> None:
    failed = logged(REFUSED, upstream="http://127.0.0.1:8000/", at="2026/11/23 22:05:50", number=1)
    now = logged(NO_LIVE, upstream="http://app/", number=2)
    assert seen(set_aside, config(proxied("http://app"), before=POOL), failed, now).outcome == "after-failures"


def test_failures_of_long_ago_set_nobody_aside() -> None:
    failed = logged(REFUSED, upstream="http://127.0.0.1:8000/", at="2026/11/23 22:01:50", number=1)
    now = logged(NO_LIVE, upstream="http://app/", number=2)
    assert seen(set_aside, config(proxied("http://app"), before=POOL), failed, now).outcome == "unexplained"


def test_servers_at_their_limit_did_not_fail() -> None:
    pool = POOL.replace(";\n", " max_conns=2;\n")
    now = logged(NO_LIVE, upstream="http://app/")
    found = seen(set_aside, config(proxied("http://app"), before=pool), now)
    assert (found.outcome, found.values["limit"]) == ("at-limit", 4)


@pytest.mark.parametrize(
    ("to", "outcome"),
    [
        ("http://127.0.0.1:80", "none"),  # the Host header becomes 127.0.0.1:80, which another server lists
        ("http://127.0.0.1", "none"),
        ("http://127.0.0.1:8001", "none"),
    ],
)
def test_another_virtual_host_breaks_the_circle(to: str, outcome: str) -> None:
    other = "server {\nlisten 80; server_name 127.0.0.1;\nlocation / { return 200; }\n}"
    assert seen(circle, config(proxied(to), before=other)).outcome == outcome


def test_a_request_that_keeps_its_host_comes_back() -> None:
    found = seen(circle, config(proxied("http://127.0.0.1:80", "proxy_set_header Host $host;")))
    assert (found.outcome, found.values["hops"]) == ("comes-back", 1)


def test_files_that_are_newer_than_the_workers_are_not_loaded() -> None:
    assert seen(loaded, config(proxied()), changed=NOW - 100).outcome == "changed"
    assert seen(loaded, config(proxied())).outcome == "as-loaded"


def test_what_nginx_refused_after_the_change_is_no_unloaded_file() -> None:
    line = '2026/11/23 22:05:00 [emerg] 10#10: unknown directive "x" in /etc/nginx/nginx.conf:1'
    assert seen(loaded, config(proxied()), line, changed=NOW - 100).outcome == "refused"
