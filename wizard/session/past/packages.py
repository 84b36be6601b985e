"""Which packages were changed: one moment for each run of the package manager.

Owns which packages bear on the path, and how a run is told in a line. May not know the formats of the logs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wizard.logs.packages import APK, Change, Transaction, told_once, transactions
from wizard.services.names import stem
from wizard.session.past.scene import Kind, Moment, Scene
from wizard.text import one_line

_PLATFORM = ("libssl", "openssl", "libc6", "glibc", "musl", "systemd", "linux-image", "kernel", "ca-certificates")
_RUNTIMES = ("python3", "php", "node", "ruby", "openjdk", "java", "gunicorn", "uwsgi", "perl", "dotnet", "tomcat")
_SHOWN = 3


def of_packages(scene: Scene) -> Iterator[Moment]:
    """The runs of the package manager."""
    found = [one for question, answer in scene.logs() for one in transactions(question.path, answer)]
    for one in told_once(found):
        chosen = sorted(one.changes, key=lambda change: -_bearing(change.package, scene))
        weight = 30 + 22 * _bearing(chosen[0].package, scene)
        yield Moment(one.start, _words(one, chosen), one.source, Kind.PACKAGE, chosen[0].package, weight)
    for stat in scene.stats():
        if stat.path == APK:
            yield Moment(stat.mtime, "packages were changed", "apk", Kind.PACKAGE, "apk", 40)


def _words(one: Transaction, chosen: Sequence[Change]) -> str:
    count = len(one.changes)
    if count <= _SHOWN:
        return one_line("; ".join(map(_one, chosen)), limit=140)
    done = {change.done for change in one.changes}
    verb = next(iter(done)) if len(done) == 1 else "changed"
    names = ", ".join(change.package for change in chosen[:_SHOWN])
    return one_line(f"{count} packages {verb}, {names} among them", limit=140)


def _one(change: Change) -> str:
    if change.before and change.after:
        return f"{change.package} {change.done} from {change.before} to {change.after}"
    version = change.after or change.before
    return f"{change.package} {change.done}" + (f" ({version})" if version else "")


def _bearing(package: str, scene: Scene) -> int:
    """How near a package is to the path: 2 its gateway or service, 1 what every program stands on, 0 neither."""
    names = {one.gateway.kind for one in scene.routes} | {stem(unit).lower() for unit in scene.units}
    if any(name and (package == name or package.startswith(f"{name}-")) for name in names):
        return 2
    return 1 if package.startswith((*_PLATFORM, *_RUNTIMES)) else 0
