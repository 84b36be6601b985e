"""Who may pass: `allow` and `deny`, and what else is asked for on the way.

Owns the order of the access phase and `satisfy`. A password or a subrequest (`auth_basic`, `auth_request`) is noted
and taken as given: the way of a request is that of a visitor who is let in. May not know what lies behind.
"""

from __future__ import annotations

import ipaddress

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.octets import octets, unknown_in
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.rewrite import Answer
from wizard.gateways.nginx.tree import Directive

_CODE = tuple(
    f"{phase}_by_lua{form}" for phase in ("server_rewrite", "rewrite", "access") for form in ("", "_block", "_file")
)


def refused(request: Request) -> Answer | None:
    """The answer where a request is not let in; None where it is, or would be with a password."""
    level = request.level
    rules = next((own for around in level.outwards() if (own := _rules(around))), [])
    _note(request)
    if not rules:
        return None
    asked = _asks_for_password(request) or request.auth_request is not None
    if level.word("satisfy", "all") == "any" and asked:
        return None
    denied = _denied(request, rules)
    return Answer(403, None, denied.at) if denied is not None else None


def _rules(level: Level) -> list[Directive]:
    """The rules that stand on a level, in their order."""
    if not level.own("allow") and not level.own("deny"):
        return []
    return [directive for directive in level.directives if directive.name in {"allow", "deny"} and directive.args]


def _asks_for_password(request: Request) -> bool:
    source = request.level.word("auth_basic", "off")
    return source != "off" and request.level.nearest("auth_basic_user_file") is not None


def _note(request: Request) -> None:
    if _asks_for_password(request) and (basic := request.level.nearest("auth_basic")) is not None:
        request.step(f"asks for a password ({basic.at})")
    verify = request.level.nearest("ssl_verify_client")
    if request.tls and verify is not None and verify.args[:1] == ("on",):
        request.step(f"asks for a certificate of the client ({verify.at})")
    for name in _CODE:
        if (code := request.level.nearest(name)) is not None:
            request.step(f"{name} runs code that may decide otherwise ({code.at})")
    request.auth_request = None
    asked = request.level.nearest("auth_request")
    if asked is not None and asked.args and asked.args[0] != "off":
        request.auth_request = octets(asked.args[0])


def _denied(request: Request, rules: list[Directive]) -> Directive | None:
    """The rule that denies the client, if one does."""
    verdicts = {rule.name for rule in rules}
    if verdicts == {"allow"}:
        return None
    if not request.client_given and verdicts == {"allow", "deny"}:
        deny = next(rule for rule in rules if rule.name == "deny")
        return request.choices.choose(
            ("access", id(rules[0])),
            ((None, "the client is allowed"), (deny, "the client is denied")),
            f"whether the client is let in ({rules[0].at})",
        )
    if unknown_in(request.client):
        return None
    return next((rule if rule.name == "deny" else None for rule in rules if _covers(rule, request.client)), None)


def _covers(rule: Directive, client: str) -> bool:
    word = rule.args[0]
    if word == "all":
        return True
    if word == "unix:" or client.startswith("unix:"):
        return word == "unix:" and client.startswith("unix:")
    try:
        return ipaddress.ip_address(client) in ipaddress.ip_network(octets(word), strict=False)
    except ValueError:
        return False
