"""What a unit was told to listen on: its command, its environment, and the files that these name.

Owns which files belong to a unit. May not know why an endpoint is looked for. Files are read only for units that are
candidates, each at most 64 KiB, and only a few.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Sequence

import msgspec

from wizard.host.questions import FileRead, FilesRead, ReadFile, ReadGlob
from wizard.model import Place
from wizard.services.manager import Asks
from wizard.services.mentions import Endpoint, Mention, Strength, in_argv, in_environment, in_file
from wizard.services.names import stem
from wizard.services.unitfiles import UnitFile
from wizard.services.unitread import split_quoted

_MAX_BYTES = 1 << 16
_MAX_FILES = 8

_COMMANDS = ("ExecStart", "ExecStartPre", "ExecStartPost")
_CONFIG_OPTIONS = frozenset({
    "c", "config", "conf", "config-file", "conf-file", "configuration", "ini", "fpm-config", "y", "C", "yaml", "json",
    "env-file", "settings", "properties", "options-file",
})  # fmt: skip
_CONFIG_SUFFIX = re.compile(
    r"\.(?:conf|cfg|ini|toml|ya?ml|json|properties|env|xml|py|m?js|cjs|ts|rb|ru|php|pl|sh|lua)$", re.IGNORECASE
)

# Where programs keep pools or sites of their own: unit name to the glob patterns of their files.
_POOLS: tuple[tuple[re.Pattern[str], tuple[str, ...]], ...] = (
    (re.compile(r"^php(\d[\d.]*)-fpm\.service$"), (r"/etc/php/\1/fpm/pool.d/*.conf",)),
    (re.compile(r"^php-fpm\.service$"), ("/etc/php-fpm.d/*.conf", "/etc/php/fpm.d/*.conf", "/etc/php/php-fpm.d/*.conf")),
    (re.compile(r"^php-?fpm?(\d+)\.service$"), (r"/etc/php\1/php-fpm.d/*.conf",)),
    (re.compile(r"^(php\d+)-php-fpm\.service$"), (r"/etc/opt/remi/\1/php-fpm.d/*.conf",)),
    (re.compile(r"^(?:emperor\.)?uwsgi(?:-emperor)?\.service$"),
     ("/etc/uwsgi/apps-enabled/*", "/etc/uwsgi/vassals/*", "/etc/uwsgi-emperor/vassals/*", "/etc/uwsgi.d/*")),
    (re.compile(r"^(tomcat\d*)\.service$"), (r"/etc/\1/server.xml",)),
    (re.compile(r"^(?:apache2|httpd)\.service$"), ("/etc/apache2/ports.conf", "/etc/httpd/conf/httpd.conf")),
)  # fmt: skip


class Told(msgspec.Struct, frozen=True):
    """A mention of the endpoint and the line that makes it."""

    mention: Mention
    at: Place | None


def keeps_pools(unit: str) -> bool:
    """Whether a unit's program reads its addresses from files of its own that are known here."""
    return any(pattern.match(unit) for pattern, _ in _POOLS)


async def mention_of(ask: Asks, unit: UnitFile, wanted: Endpoint) -> Told | None:
    """The plainest mention of an endpoint among what a unit was told, None where there is none."""
    own = _in_unit(unit, wanted)
    if own is not None and own.mention.strength is not Strength.FAINT:
        return own
    found = [own] if own else []
    for file in await _files(ask, unit):
        mention = in_file(file.content.decode("utf-8", "replace"), wanted)
        if mention is not None:
            found.append(Told(mention, Place(file.path, mention.line)))
    return max(found, key=lambda told: told.mention.strength, default=None)


def _in_unit(unit: UnitFile, wanted: Endpoint) -> Told | None:
    found = []
    for setting in unit.all(*_COMMANDS):
        mention = in_argv(split_quoted(setting.value), wanted)
        if mention is not None:
            found.append(Told(mention, Place(setting.file, setting.line)))
    for setting in unit.all("Environment"):
        pairs = [pair.partition("=") for pair in split_quoted(setting.value)]
        mention = in_environment([(name, value) for name, _, value in pairs], wanted)
        if mention is not None:
            found.append(Told(mention, Place(setting.file, setting.line)))
    return max(found, key=lambda told: told.mention.strength, default=None)


async def _files(ask: Asks, unit: UnitFile) -> Sequence[FileRead]:
    if not unit.name.endswith(".service"):
        return ()
    patterns = [
        match.expand(glob) for pattern, globs in _POOLS if (match := pattern.match(unit.name)) for glob in globs
    ]
    questions = [ask.ask(ReadFile(path, max_bytes=_MAX_BYTES)) for path in paths_of(unit)]
    globs = [ask.ask(ReadGlob(pattern, max_files=_MAX_FILES * 4, max_bytes=_MAX_BYTES)) for pattern in patterns]
    replies, many = await asyncio.gather(asyncio.gather(*questions), asyncio.gather(*globs))
    found = [reply.answer for reply in replies if isinstance(reply.answer, FileRead)]
    return [*found, *(file for reply in many if isinstance(reply.answer, FilesRead) for file in reply.answer.files)]


def paths_of(unit: UnitFile) -> tuple[str, ...]:
    """The files that a unit's command and environment name, most telling first, at most a few."""
    folder = unit.last("WorkingDirectory").lstrip("-!")
    environment = [setting.value.lstrip("-") for setting in unit.all("EnvironmentFile")]
    named: list[str] = []
    programs: list[str] = []
    for setting in unit.all("ExecStart"):
        words = list(split_quoted(setting.value.lstrip("@-:+!")))
        programs += [word.rpartition("/")[2] for word in words[:3]]
        named += _named_files(words[1:])
    implied: list[str] = []
    if folder.startswith("/"):
        implied.append(".env")
        if any("gunicorn" in program for program in programs):
            implied.append("gunicorn.conf.py")
        if any("puma" in program for program in programs):
            implied.append("config/puma.rb")
    if not unit.local:
        implied += [f"/etc/default/{stem(unit.name)}", f"/etc/{stem(unit.name)}/{stem(unit.name)}.conf"]
    whole = [
        path if path.startswith("/") else f"{folder.rstrip('/')}/{path}" for path in (*environment, *named, *implied)
    ]
    readable = [path for path in dict.fromkeys(whole) if path.startswith("/") and "*" not in path and "%" not in path]
    return tuple(readable[:_MAX_FILES])


def _named_files(words: Iterable[str]) -> list[str]:
    found = []
    option = ""
    for word in words:
        name, equals, value = word.partition("=")
        if equals and name.lstrip("-") in _CONFIG_OPTIONS:
            found.append(value)
        elif option in _CONFIG_OPTIONS or _CONFIG_SUFFIX.search(word):
            found.append(word.rpartition("=")[2].removeprefix("python:").removeprefix("file:"))
        option = word.lstrip("-") if word.startswith("-") and not equals else ""
    return [path for path in found if path and not path.startswith(("http:", "https:", "$"))]
