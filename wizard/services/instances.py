"""Instances of template units that systemd has not loaded: a stopped `web@8000.service` stands in no list.

Owns where their names can be learned: links that enable them, drop-ins, the files that a template reads per instance,
and the endpoint itself where the journal knows an instance of that name. May not know why an endpoint is looked for.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping

from wizard.host.questions import FilesRead, NotAnswered, ReadGlob
from wizard.services.journal import last_words
from wizard.services.manager import Asks
from wizard.services.mentions import Endpoint
from wizard.services.systemd import is_unit_name
from wizard.services.unitfiles import LOCAL, UnitFile, instance_of, instantiate

_MAX_FILES = 200
_MAX_GUESSES = 6
_SPECIFIERS = ("%i", "%I")


async def unloaded(
    ask: Asks, local: Mapping[str, UnitFile], known: Iterable[str], wanted: Endpoint
) -> dict[str, UnitFile]:
    """The instances of an admin's templates that are not among the known units, filled in.

    Args:
        ask: whoever can ask the host.
        local: the unit files that no package brought, by name.
        known: units that were found already.
        wanted: the endpoint that is looked for; it may be what an instance is named after.
    """
    templates = {name: unit for name, unit in local.items() if _is_template(name) and unit.path}
    if not templates:
        return {}
    seen = set(known)
    linked, kept = await asyncio.gather(_enabled(ask), _by_files(ask, templates.values()))
    dropped_in = [name for name in local if instance_of(name)[1]]
    certain = [name for name in (*linked, *dropped_in, *kept) if instance_of(name)[0] in templates]
    guessed = await _that_ran(ask, [name for name in _guesses(templates.values(), wanted) if name not in seen])
    found: dict[str, UnitFile] = {}
    for name in dict.fromkeys((*certain, *guessed)):
        bare = name in local and not local[name].path
        if (name in seen and not bare) or not is_unit_name(name):
            continue
        filled = instantiate(templates[instance_of(name)[0]], name)
        own = local[name].settings if bare else ()
        found[name] = UnitFile(name, filled.path, (*filled.settings, *own), local=True)
    return found


def _is_template(name: str) -> bool:
    return name.endswith("@.service")


async def _enabled(ask: Asks) -> list[str]:
    """Instances that are enabled: links in `*.wants` and `*.requires` (systemd.unit(5))."""
    patterns = [f"{folder}/*.{kind}/*@?*.service" for folder in LOCAL[:2] for kind in ("wants", "requires")]
    replies = await asyncio.gather(*(ask.ask(ReadGlob(one, max_files=_MAX_FILES, max_bytes=1)) for one in patterns))
    return [
        file.path.rpartition("/")[2]
        for reply in replies
        if isinstance(reply.answer, FilesRead)
        for file in reply.answer.files
    ]


async def _by_files(ask: Asks, templates: Iterable[UnitFile]) -> list[str]:
    """Instances that have an environment file of their own, by the name that the template gives to it."""
    found: list[str] = []
    for template in templates:
        for setting in template.all("EnvironmentFile"):
            path = setting.value.lstrip("-")
            specifier = next((one for one in _SPECIFIERS if path.count(one) == 1), None)
            if specifier is None or not path.startswith("/") or "*" in path or path.count("%") != 1:
                continue
            before, after = path.split(specifier)
            answer = (await ask.ask(ReadGlob(f"{before}*{after}", max_files=_MAX_FILES, max_bytes=1))).answer
            for file in answer.files if isinstance(answer, FilesRead) else ():
                instance = file.path[len(before) : len(file.path) - len(after)]
                if instance and "/" not in instance:
                    found.append(template.name.replace("@.", f"@{instance}."))
    return found


def _guesses(templates: Iterable[UnitFile], wanted: Endpoint) -> list[str]:
    """Instances that would be named after the endpoint: by its port, or by a part of the socket's path."""
    if wanted.is_unix:
        parts = [re.sub(r"\.(?:sock|socket)$", "", part) for part in wanted.path.split("/") if part]
        words = [part for part in reversed(parts) if part not in {"run", "var", "tmp"}][:2]
    else:
        words = [str(wanted.port)]
    named = [
        template.name.replace("@.", f"@{word}.")
        for template in templates
        if any(specifier in setting.value for setting in template.settings for specifier in _SPECIFIERS)
        for word in words
    ]
    return named[:_MAX_GUESSES]


async def _that_ran(ask: Asks, names: Iterable[str]) -> list[str]:
    """The units of which the journal knows anything: any name at all makes an instance, so a name alone proves none."""
    wanted = [name for name in names if is_unit_name(name)]
    replies = await asyncio.gather(*(last_words(ask, name, lines=1) for name in wanted))
    return [
        name for name, lines in zip(wanted, replies, strict=True) if not isinstance(lines, NotAnswered) and len(lines)
    ]
