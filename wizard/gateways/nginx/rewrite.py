"""The rewrite module: `rewrite`, `return`, `set`, `if` and `break`, run in the order in which they stand.

Owns what these directives do to a request (ngx_http_rewrite_module.c and ngx_http_script.c of nginx 1.22), including
when a capture is escaped and when `if` switches the settings that hold. May not know which location comes next.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from wizard.gateways.nginx.levels import Kind, Level
from wizard.gateways.nginx.locations import PASSES, LocationLevel
from wizard.gateways.nginx.octets import said, unescape_redirect
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.tree import Directive
from wizard.gateways.nginx.variables import fill, value_of
from wizard.model import Place
from wizard.text import one_line

REDIRECTS = frozenset({301, 302, 303, 307, 308})
CLOSES = frozenset({408, 444, 499})  # the connection is closed without an answer, and no error page is looked for
OPERATORS = frozenset({"=", "!=", "~", "~*", "!~", "!~*"})
_ABSOLUTE = ("http://", "https://", "$scheme")
_DIRECTIVES = frozenset({"rewrite", "return", "set", "if", "break"})


class Answer(msgspec.Struct, frozen=True):
    """An answer that nginx gives itself: where it redirects to or the text that it sends.

    `final` says that no `error_page` is looked for; `file` is the path where the answer is due to what files there are.
    """

    status: int
    to: str | None
    at: Place | None
    final: bool = False
    file: str | None = None


class _Run(msgspec.Struct):
    """One run over a level's directives: what the script engine keeps between them."""

    request: Request
    quote: bool = True
    is_args: bool = False
    answer: Answer | None = None
    ended: bool = False

    def fill(self, source: str) -> str:
        return fill(self.request, source, escape=self.quote or self.is_args)

    def directives(self, level: Level, directives: Sequence[Directive]) -> None:
        for directive in directives:
            if directive.name in _DIRECTIVES:
                _STEPS[directive.name](self, level, directive)
                if self.ended:
                    return


def rewrites(request: Request, level: Level) -> Answer | None:
    """Run the rewrite directives that stand on a level itself; they are not inherited.

    Returns:
        The answer where one of them gave it. Otherwise the request has been changed in place.
    """
    run = _Run(request)
    run.directives(level, level.directives)
    return run.answer


def enter(request: Request, level: Level) -> None:
    """Let the settings of a level hold, and its content handler if it has one of its own."""
    answering: Level | None = level
    if isinstance(level, LocationLevel) and level.limit_except is not None and level.methods_excepted(request.method):
        around, level = level, level.limit_except
        answering = level
        if handler_of(level) is None:
            # A target of the location holds inside as well; what answers in another way does not.
            outer = handler_of(around)
            answering = around if outer is not None and outer.name in _HELD_INSIDE else None
    request.level = level
    if answering is not None and handler_of(answering) is not None:
        request.handler = answering


def handler_of(level: Level) -> Directive | None:
    """The directive that answers on a level itself: the last one that could."""
    return next((one for one in reversed(level.directives) if one.name in HANDLERS), None)


_HANDLER_NAMES = (
    "proxy_pass fastcgi_pass uwsgi_pass scgi_pass grpc_pass memcached_pass stub_status empty_gif flv mp4 perl "
    "content_by_lua content_by_lua_block content_by_lua_file js_content echo echo_exec passenger_enabled hls f4f "
    "upload_pass rtmp_stat vhost_traffic_status_display check_status push_stream_publisher "
    "push_stream_subscriber nchan_publisher nchan_subscriber nchan_pubsub redis_pass redis2_pass drizzle_pass "
    "postgres_pass ajp_pass upstream_show"
)
HANDLERS = frozenset(_HANDLER_NAMES.split())
_HELD_INSIDE = frozenset(PASSES) - {"memcached_pass"}


def _rewrite(run: _Run, _level: Level, directive: Directive) -> None:
    args = directive.args
    if len(args) < 2 or not args[1]:
        return
    request, replacement = run.request, args[1]
    flag = args[2] if len(args) > 2 else ""
    if not request.regex(args[0], request.uri, directive.at):
        request.captures = ()
        return
    add_args = not replacement.endswith("?")
    if not add_args:
        replacement = replacement[:-1]
    status = {"permanent": 301, "redirect": 302}.get(flag) or (302 if args[1].startswith(_ABSOLUTE) else 0)
    request.internal = True
    request.valid_unparsed = False
    request.uri_changed = flag != "break"
    if flag == "break":
        request.valid_location = False
    run.quote = bool(status)
    if status:
        to = unescape_redirect(run.fill(replacement))
        if add_args and request.args:
            to += ("&" if "?" in replacement else "?") + request.args
        run.answer, run.ended, run.quote = Answer(status, to, directive.at), True, False
        return
    path, args_source = _split_arguments(replacement)
    uri = run.fill(path)
    if args_source is not None:
        run.is_args = True
        added = f"&{request.args}" if add_args and request.args else ""
        request.args = run.fill(args_source) + added
    elif not add_args:
        request.args = ""
    run.quote = False
    request.uri = uri
    if not uri:
        run.answer, run.ended = Answer(500, None, directive.at), True
        return
    request.step(f"rewrite {one_line(args[0])} made it {said(uri)} ({directive.at})")
    run.ended = flag in {"last", "break"}


def _split_arguments(source: str) -> tuple[str, str | None]:
    """A replacement before and after its first `?` that is not part of a variable's value."""
    at = source.find("?")
    return (source, None) if at < 0 else (source[:at], source[at + 1 :])


def _return(run: _Run, _level: Level, directive: Directive) -> None:
    args = directive.args
    if not args:
        return
    run.ended = True
    text: str | None
    if args[0].isdigit() and len(args[0]) <= 3:
        status = int(args[0])
        text = run_text(run.request, args[1]) if len(args) > 1 and args[1] else None
    else:
        status, text = 302, run_text(run.request, args[0])
    direct = (status < 400 or text is not None) and status not in REDIRECTS
    run.answer = Answer(status, text, directive.at, final=direct or status in CLOSES)


def run_text(request: Request, source: str) -> str:
    """The text of a `return`, filled in; captures are never escaped in it."""
    return fill(request, source)


def _break(run: _Run, _level: Level, _directive: Directive) -> None:
    if run.request.uri_changed:
        run.request.valid_location = False
        run.request.uri_changed = False
    run.ended = True


def _set(run: _Run, _level: Level, directive: Directive) -> None:
    if len(directive.args) != 2:
        return
    name = directive.args[0].removeprefix("$").lower()
    value = run.fill(directive.args[1])
    if name == "args":
        run.request.args = value
        run.request.valid_unparsed = False
    elif name != "limit_rate":
        run.request.values[name] = value


def _if(run: _Run, level: Level, directive: Directive) -> None:
    holds = _condition(run, directive)
    shown = one_line(" ".join(directive.args))
    words = f"if {shown} is {'true' if holds else 'false'} ({directive.at})"
    run.request.step_for_headers(words, directive.args)
    if not holds:
        return
    inside = Level(Kind.IF, directive.block or [], directive.at, level)
    if level.kind is not Kind.SERVER:
        enter(run.request, inside)
    run.directives(inside, inside.directives)


def condition_words(directive: Directive) -> tuple[str, ...]:
    """The words of a condition without its parentheses."""
    words = list(directive.args)
    if not words or not words[0].startswith("(") or not words[-1].endswith(")"):
        return ()
    words[0] = words[0][1:]
    words[-1] = words[-1][:-1]
    return tuple(words[not words[0] : len(words) - (not words[-1] and len(words) > 1)])


def _condition(run: _Run, directive: Directive) -> bool:
    request = run.request
    words = condition_words(directive)
    if not words:
        return False
    shown = one_line(" ".join(words))
    if words[0].startswith("$"):
        value = _variable(request, words[0][1:])
        if len(words) == 1:
            return not request.equal(value, "", f"if ({shown}) is empty ({directive.at})") and not request.equal(
                value, "0", f"if ({shown}) is 0 ({directive.at})"
            )
        if len(words) != 3:
            return False
        operator, right = words[1], words[2]
        if operator in {"=", "!="}:
            other = run.fill(right)
            same = request.equal(value, other, f"if ({shown}) ({directive.at})")
            return same if operator == "=" else not same
        matched = request.regex(right, value, directive.at, caseless=operator.endswith("*"))
        if not matched:
            request.captures = ()
        return matched is not operator.startswith("!")
    if len(words) == 2:
        return _file(run, words[0], run.fill(words[1]))
    return False


def _variable(request: Request, name: str) -> str:
    return value_of(request, name)


def _file(run: _Run, test: str, path: str) -> bool:
    negated = test.startswith("!")
    kind = test.lstrip("!-")
    request = run.request
    if kind == "f":
        there = request.file(path)
    elif kind == "d":
        there = request.folder(path)
    else:
        there = request.folder(path) or request.file(path)
        if kind == "x" and there:
            there = request.choices.choose(
                ("executable", path),
                ((True, f"{said(path)} may be executed"), (False, f"{said(path)} may not be executed")),
                f"whether {said(path)} may be executed",
            )
    return there is not negated


_STEPS = {"rewrite": _rewrite, "return": _return, "break": _break, "set": _set, "if": _if}
