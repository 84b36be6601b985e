"""Where the messages and the access lines of a request go.

Owns the inheritance of `error_log` and `access_log`, and which of several is the one to read. May not read them.
"""

from __future__ import annotations

from wizard.gateways.nginx.levels import Level
from wizard.gateways.nginx.tree import Configuration, Directive
from wizard.model import Logs

_NOT_A_FILE = ("syslog:", "memory:", "stderr", "/dev/stderr", "/dev/stdout", "/dev/null")


def logs_at(configuration: Configuration, level: Level) -> Logs:
    """The logs that hold on a level; of several, the first that is a file."""
    errors = level.every("error_log") or configuration.all("error_log")
    chosen = _preferred(errors)
    error = _full(configuration, chosen.args[0]) if chosen is not None else configuration.error_log
    accesses = level.every("access_log")
    access = _preferred(accesses)
    if access is None:
        return Logs(error, _level(chosen), configuration.access_log, None)
    if any(one.args and one.args[0] == "off" for one in accesses):
        return Logs(error, _level(chosen), None, None)
    name = next((word for word in access.args[1:2] if "=" not in word), "combined")
    return Logs(error, _level(chosen), _full(configuration, access.args[0]), _format(level, name))


def _preferred(directives: list[Directive]) -> Directive | None:
    written = [directive for directive in directives if directive.args]
    files = [one for one in written if not one.args[0].startswith(_NOT_A_FILE)]
    return next(iter(files or written), None)


def _full(configuration: Configuration, path: str) -> str:
    return path if path.startswith(_NOT_A_FILE) else configuration.runtime_path(path)


def _level(directive: Directive | None) -> str:
    if directive is None or len(directive.args) < 2:
        return "error"
    return directive.args[1]


def _format(level: Level, name: str) -> str | None:
    for around in level.outwards():
        for directive in around.own("log_format"):
            if directive.args and directive.args[0] == name:
                return "".join(word for word in directive.args[1:] if not word.startswith("escape="))
    return None
