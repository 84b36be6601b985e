"""Whether the gateway of a route runs with its files as they stand: changed since, refused since, or broken.

Owns the check `loaded`. May not know whether the difference matters: that is told by what the gateway does.
"""

from __future__ import annotations

from wizard.checks.gateway import refusals
from wizard.checks.registry import UNKNOWN, Asker, Finding, Gap, Scope, Subject, Value, check
from wizard.checks.survey import Gateway, survey
from wizard.gateways.nginx.tree import Configuration
from wizard.host.questions import DirList, ListDir
from wizard.model import Instance
from wizard.text import one_line

DRIFT = 1.0  # seconds by which the start of a process and the time of a file may differ
_MAX_FOLDERS = 10


@check(
    "loaded",
    Scope.ROUTE,
    {
        "as-loaded": (),
        "changed": ("file",),
        "refused": ("file", "text"),
        "broken": ("file", "text"),
        "not-running": (),
    },
    bad=("refused", "broken"),
)
async def loaded(subject: Subject, asker: Asker) -> Finding:
    """Compare the times of the configuration files with that of the last load, and look for a refused one since."""
    seen = await survey(asker)
    found = seen.gateway_of(subject.route.gateway if subject.route else None)
    if found is not None and found.instance.pid is None:
        return Finding("not-running", "The gateway does not run.")
    if found is None or found.configuration is None or found.instance.loaded is None:
        return Finding(UNKNOWN, "When the running configuration was loaded is not known.")
    instance, configuration = found.instance, found.configuration
    newest = await newest_change(configuration, instance, asker)
    by_hand = f"ps -o lstart= -p {next(iter(instance.workers), instance.pid)}"
    if newest is None or newest[1] <= (instance.loaded or 0.0) + DRIFT:
        return Finding("as-loaded", "No file was changed after the running configuration was loaded.", by_hand=by_hand)
    file, changed = newest
    values: dict[str, Value] = {"file": file}
    said = f"{one_line(file)} was changed after the running configuration was loaded"
    text, gaps = await _refusal(found, changed, asker)
    if text is not None:
        return Finding(
            "refused", f"{said}; nginx refuses it: {one_line(text)}.", {**values, "text": text}, gaps, by_hand
        )
    broken = next((one for one in found.problems if "Permission denied" not in one.what), None)
    if broken is not None:
        where = f"{broken.what} ({broken.at})" if broken.at else broken.what
        return Finding("broken", f"{said}, and is broken: {one_line(where)}.", {**values, "text": where}, gaps, by_hand)
    return Finding("changed", f"{said}.", values, gaps, by_hand)


async def newest_change(configuration: Configuration, instance: Instance, asker: Asker) -> tuple[str, float] | None:
    """The file, or the link to one, that was changed last, and when: a site is enabled by a new link to an old file."""
    newest = configuration.newest
    found = [(newest.path, newest.mtime)] if newest is not None else []
    folders = dict.fromkeys(path.rpartition("/")[0] for one in configuration.includes for path in one.files)
    for folder in list(folders)[:_MAX_FOLDERS]:
        listed = (await asker.ask(ListDir(folder, within=instance.within))).answer
        for entry in listed.entries if isinstance(listed, DirList) else ():
            if entry.kind == "link" and entry.path in configuration.files:
                found.append((entry.path, entry.mtime))  # noqa: PERF401 - two loops read better than one expression
    return max(found, key=lambda one: one[1], default=None)


async def _refusal(found: Gateway, changed: float, asker: Asker) -> tuple[str | None, tuple[Gap, ...]]:
    """The gateway's own words about the files as they stand: a refusal that is no older than the last change."""
    said, gaps = await refusals(found, asker)
    later = [one for at, one in said if at is not None and at + DRIFT >= changed]
    return (later[-1].text if later else None), gaps
