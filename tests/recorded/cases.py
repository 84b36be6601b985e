"""The recorded hosts: which story of the fault lab each one is, and what a person reads about it.

Those with a title ship with the program as demo incidents; the others lie beside this file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
SHIPPED = FOLDER.parents[1] / "wizard" / "_incidents"


@dataclass(frozen=True, slots=True)
class Case:
    """One recording. `healthy` is the first half of the story only: it looks alike, and nothing is wrong.

    `repaired` holds a second attempt, between which and the first the printed repair was run.
    """

    name: str
    scenario: str
    title: str = ""
    healthy: bool = False
    repaired: bool = False

    @property
    def session(self) -> Path:
        """The recording."""
        return SHIPPED / f"{self.name}.jsonl.gz" if self.title else self.folder / "session.jsonl.gz"

    @property
    def folder(self) -> Path:
        """Where the expected verdict lies."""
        return FOLDER / self.name

    @property
    def expected(self) -> Path:
        """What the walk has to come to."""
        return self.folder / "expected.json"


CASES = {
    case.name: case
    for case in (
        Case("service-stopped", "service.stopped", "The shop's service was stopped, and nobody started it again."),
        Case("wrong-port", "port.service_moved", "The service moved to another port, and nobody told nginx."),
        Case("import-error", "service.import_error", "After a deploy the application dies at its first import."),
        Case("socket-permission", "socket.root_only", "Root's curl succeeds, and nginx may not open the socket."),
        Case("php-upgraded", "socket.php_upgraded", "PHP was upgraded, and the site still names the old socket."),
        Case("dns-misspelt", "dns.misspelt", "The upstream's name has a typing error."),
        Case("firewall-drop", "firewall.output_drop", "A packet filter drops what nginx sends to the application."),
        Case("certificate-expired", "tls.expired", "The application's certificate has expired, and nginx verifies."),
        Case("cookie-too-big", "http.cookie_too_big", "The login sets a cookie that does not fit nginx's buffer."),
        Case("timeout-too-short", "http.timeout_lowered", "A page needs two seconds, and nginx waits for one."),
        Case("two-faults", "instances.two_servers_two_faults", "Two servers, each with a fault of its own."),
        Case("is-over", "instances.stopped_for_a_moment", "It was down for a moment: all that is left is in the log."),
        Case("killed", "port.killed", "The application was killed, and no service manager starts it again."),
        Case(
            "repaired",
            "http.cookie_too_big",
            "A login page too big for nginx, repaired between two looks: press v.",
            repaired=True,
        ),
        Case("wrong-address", "port.bound_to_loopback"),
        Case("socket-folder-closed", "socket.folder_closed"),
        Case("stale-name", "dns.moved_after_start"),
        Case("hung", "http.process_stopped"),
        Case("closes", "http.closes"),
        Case("plain-to-tls", "tls.plain_to_tls"),
        Case("without-root", "instances.seen_without_root"),
        Case("healthy-service", "service.stopped", healthy=True),
        Case("healthy-socket", "socket.root_only", healthy=True),
        Case("healthy-name", "dns.only_in_hosts", healthy=True),
        Case("healthy-firewall", "firewall.output_drop", healthy=True),
    )
}
