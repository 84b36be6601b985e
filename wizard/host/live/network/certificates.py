"""What a certificate says, read from its DER form (RFC 5280, X.690).

Owns a reader for the few fields that a diagnosis needs: names, validity, who signed. The standard library reads a
peer's certificate only where it was verified, and the certificates of interest are those that were not. May not
know where a certificate comes from; verifies nothing.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from wizard.host.questions import Certificate

_SEQUENCE, _SET, _OID, _UTC_TIME, _GENERALIZED_TIME = 0x30, 0x31, 0x06, 0x17, 0x18
_VERSION, _EXTENSIONS = 0xA0, 0xA3
_DNS_NAME, _IP_ADDRESS = 0x82, 0x87
_OCTETS, _BOOLEAN = 0x04, 0x01

_COMMON_NAME = bytes.fromhex("550403")
_SUBJECT_ALT_NAME = bytes.fromhex("551d11")
_SHORT_NAMES = {
    bytes.fromhex("550406"): "C",
    bytes.fromhex("550408"): "ST",
    bytes.fromhex("550407"): "L",
    bytes.fromhex("55040a"): "O",
    bytes.fromhex("55040b"): "OU",
    _COMMON_NAME: "CN",
}
_ENCODINGS = {0x0C: "utf-8", 0x1E: "utf-16-be", 0x1C: "utf-32-be"}  # the others are ASCII, or Latin-1 in practice

_TIMES = {
    _UTC_TIME: re.compile(rb"(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:Z|([+-])(\d\d)(\d\d))"),
    _GENERALIZED_TIME: re.compile(rb"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?(?:[.,]\d{1,9})?(?:Z|([+-])(\d\d)(\d\d))?"),
}


class _MalformedError(ValueError):
    """The bytes are no DER, or no certificate."""


class ReadCertificate(msgspec.Struct, frozen=True):
    """A certificate, with its kinds of names kept apart: each kind is matched by rules of its own."""

    facts: Certificate
    dns_names: tuple[str, ...]
    ip_addresses: tuple[str, ...]
    common_names: tuple[str, ...]


def read_certificate(der: bytes) -> ReadCertificate | None:
    """Read one DER certificate; None where the bytes are none. Never raises; linear in the size."""
    try:
        return _certificate(memoryview(der))
    except _MalformedError:
        return None


def carries_name(certificate: ReadCertificate, name: str) -> bool:
    """Whether a certificate is for a host name, by the rules of X509_check_host(3) as nginx calls it.

    The common name counts only where there is no DNS name; an IP address in the certificate never matches, because
    X509_check_host does not look at those (nginx refuses `proxy_ssl_name 10.0.0.5` for such a certificate).
    """
    wanted = name.lower()
    patterns = certificate.dns_names or certificate.common_names
    return any(_matches(pattern.lower(), wanted) for pattern in patterns)


def _matches(pattern: str, name: str) -> bool:
    """Equality, or one `*` in the leftmost label, which stands for characters of one label and never for IDNA ones."""
    if pattern == name:
        return True
    first, dot, parent = pattern.partition(".")
    if first.count("*") != 1 or "*" in parent or "." not in parent or not dot or first.startswith("xn--"):
        return False
    label, _, rest = name.partition(".")
    if rest != parent:
        return False
    before, _, after = first.partition("*")
    if first == "*":
        return bool(re.fullmatch(r"[0-9a-z*-]+", label))
    middle = label[len(before) : len(label) - len(after)]
    fits = len(label) >= len(before) + len(after) and label.startswith(before) and label.endswith(after)
    return fits and not label.startswith("xn--") and bool(re.fullmatch(r"[0-9a-z*-]*", middle))


# --- DER ------------------------------------------------------------------------------------------------------


def _element(data: memoryview, at: int) -> tuple[int, memoryview, int]:
    """The element at an offset: its tag, its content, and the offset after it. Definite lengths only, as DER says."""
    if len(data) < at + 2:
        raise _MalformedError
    tag, length, at = data[at], data[at + 1], at + 2
    if tag & 0x1F == 0x1F:
        raise _MalformedError
    if length & 0x80:
        count = length & 0x7F
        if not 1 <= count <= 4 or len(data) < at + count:
            raise _MalformedError
        length, at = int.from_bytes(data[at : at + count], "big"), at + count
    if len(data) < at + length:
        raise _MalformedError
    return tag, data[at : at + length], at + length


def _children(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    at = 0
    while at < len(data):
        tag, content, at = _element(data, at)
        yield tag, content


def _fields(data: memoryview) -> list[tuple[int, memoryview]]:
    return list(_children(data))


def _only(data: memoryview, tag: int) -> memoryview:
    found, content, _ = _element(data, 0)
    if found != tag:
        raise _MalformedError
    return content


def _certificate(der: memoryview) -> ReadCertificate:
    signed = _only(_only(der, _SEQUENCE), _SEQUENCE)
    fields = _fields(signed)
    if fields and fields[0][0] == _VERSION:
        del fields[0]
    if [tag for tag, _ in fields[2:5]] != [_SEQUENCE] * 3:
        raise _MalformedError
    issuer, validity, subject = (content for _, content in fields[2:5])
    times = [_time(tag, content) for tag, content in _fields(validity)]
    if len(times) != 2:
        raise _MalformedError
    dns_names, ip_addresses = _alternative_names(fields)
    return ReadCertificate(
        Certificate(
            subject=_name(subject),
            issuer=_name(issuer),
            names=(*dns_names, *ip_addresses),
            not_before=times[0],
            not_after=times[1],
            self_signed=subject == issuer,
        ),
        dns_names,
        ip_addresses,
        tuple(value for kind, value in _attributes(subject) if kind == "CN"),
    )


def _name(data: memoryview) -> str:
    """The most specific common name, or all attributes where there is none."""
    attributes = _attributes(data)
    common = [value for kind, value in attributes if kind == "CN"]
    return common[-1] if common else ", ".join(f"{kind}={value}" for kind, value in attributes if kind)


def _attributes(data: memoryview) -> list[tuple[str, str]]:
    found = []
    for tag, group in _children(data):
        if tag != _SET:
            raise _MalformedError
        for _, attribute in _children(group):
            parts = _fields(attribute)
            if len(parts) != 2 or parts[0][0] != _OID:
                raise _MalformedError
            (_, kind), (encoding, value) = parts
            found.append((_SHORT_NAMES.get(bytes(kind), ""), _text(encoding, value)))
    return found


def _text(tag: int, content: memoryview) -> str:
    return bytes(content).decode(_ENCODINGS.get(tag, "latin-1"), "replace")


def _time(tag: int, content: memoryview) -> float:
    pattern = _TIMES.get(tag)
    match = pattern.fullmatch(bytes(content)) if pattern else None
    if match is None:
        raise _MalformedError
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    if tag == _UTC_TIME:
        year += 1900 if year >= 50 else 2000  # RFC 5280, 4.1.2.5.1
    sign, hours, minutes = match.groups()[6:]
    offset = timedelta(hours=int(hours or 0), minutes=int(minutes or 0)).total_seconds()
    try:
        stamp = datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()
    except ValueError as error:
        raise _MalformedError from error
    return stamp + offset if sign == b"-" else stamp - offset


def _alternative_names(fields: list[tuple[int, memoryview]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    dns_names: list[str] = []
    ip_addresses: list[str] = []
    for tag, content in fields[6:]:
        if tag != _EXTENSIONS:
            continue
        for _, extension in _children(_only(content, _SEQUENCE)):
            parts = [part for part in _children(extension) if part[0] != _BOOLEAN]
            if len(parts) != 2 or bytes(parts[0][1]) != _SUBJECT_ALT_NAME or parts[1][0] != _OCTETS:
                continue
            for kind, name in _children(_only(parts[1][1], _SEQUENCE)):
                if kind == _DNS_NAME:
                    dns_names.append(bytes(name).decode("latin-1"))
                elif kind == _IP_ADDRESS and len(name) in {4, 16}:
                    family = socket.AF_INET if len(name) == 4 else socket.AF_INET6
                    ip_addresses.append(socket.inet_ntop(family, bytes(name)))
    return tuple(dns_names), tuple(ip_addresses)
