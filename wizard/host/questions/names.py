"""What is asked about names: what the system answers, and what one DNS server answers.

May not know which of the two a gateway goes by.
"""

from __future__ import annotations

from wizard.host.questions.asking import HERE, Answer, Ask, View


class Resolved(Answer, frozen=True, tag="resolved"):
    """What getaddrinfo(3) answered: addresses in its order, or the name of its EAI error."""

    addresses: tuple[str, ...]
    error: str | None = None  # EAI_NONAME, EAI_AGAIN, EAI_NODATA, EAI_FAIL ...


class Resolve(Ask[Resolved], frozen=True, tag="resolve"):
    """Look a name up as the system does (hosts file, NSS, resolv.conf)."""

    name: str
    seconds: float = 5.0


class DnsAnswered(Answer, frozen=True, tag="dns"):
    """One DNS server's answer: its rcode by name and the addresses in it. An empty NOERROR is an answer too."""

    rcode: str
    addresses: tuple[str, ...]
    ttl: int | None = None
    chain: tuple[str, ...] = ()  # CNAME targets, in order


class AskDns(Ask[DnsAnswered], frozen=True, tag="ask-dns"):
    """Ask one DNS server for one kind of record of one fully qualified name, over UDP, TCP where truncated.

    A packet filter may know users, so it matters as whom the question is asked.
    """

    server: str
    name: str
    kind: str = "A"
    port: int = 53
    seconds: float = 2.0
    view: View = HERE
