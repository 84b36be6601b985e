"""Variables that are looked up in a table: `map`, `geo` and `split_clients`.

Owns the order in which a table is searched (ngx_http_map_module.c, ngx_http_geo_module.c). May not know where the
variable is used. A value is looked up once for a request and kept, unless the map is `volatile`.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

import msgspec

from wizard.gateways.nginx.names import WildcardNames
from wizard.gateways.nginx.octets import octets, said, text_of, unknown_in
from wizard.gateways.nginx.request import Request
from wizard.gateways.nginx.templates import variables
from wizard.gateways.nginx.tree import Configuration, Directive
from wizard.gateways.nginx.values import whole
from wizard.model import Place

Fill = Callable[[str], str]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Range = tuple[int, int, int]  # version, first, last
ALL_HASHES = 0xFFFFFFFF
_MIX = 0x5BD1E995
_TELLS_CLIENTS_APART = re.compile(r"(?:binary_)?remote_|realip_|cookie_|http_(?!host$)|proxy_|ssl_", re.IGNORECASE)


class Map(msgspec.Struct):
    """One `map`: its entries in the three ways in which a key can be written."""

    source: str
    at: Place
    default: str = ""
    volatile: bool = False
    hostnames: bool = False
    exact: dict[str, str] = msgspec.field(default_factory=dict)
    wildcards: WildcardNames[str] = msgspec.field(default_factory=WildcardNames)
    regexes: list[tuple[str, bool, str, Place]] = msgspec.field(default_factory=list)

    def values(self) -> list[str]:
        """Every value that it can have, each once."""
        listed = [*self.exact.values(), *(value for _, _, value, _ in self.regexes), self.default]
        return list(dict.fromkeys(listed))


class Geo(msgspec.Struct):
    """One `geo`: networks or ranges with their values, the narrowest counts."""

    source: str | None
    at: Place
    default: str = ""
    ranges: bool = False
    networks: dict[Network, str] = msgspec.field(default_factory=dict)
    spans: dict[Range, str] = msgspec.field(default_factory=dict)
    proxies: list[Network] = msgspec.field(default_factory=list)
    recursive: bool = False

    def find(self, text: str) -> str:
        """The value for an address."""
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return self.default
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        if self.ranges:
            number = int(address)
            for (version, first, last), value in reversed(self.spans.items()):
                if version == address.version and first <= number <= last:
                    return value
            return self.default
        best = max((one for one in self.networks if address in one), key=lambda one: one.prefixlen, default=None)
        return self.default if best is None else self.networks[best]


class Split(msgspec.Struct):
    """One `split_clients`: the values that it deals out, each with the end of its share of all hash values."""

    source: str
    at: Place
    shares: list[tuple[int, str]] = msgspec.field(default_factory=list)

    def find(self, key: str) -> str:
        """The value for a key."""
        number = murmur(key.encode("latin-1"))
        return next((value for end, value in self.shares if number < end), "")


Table = Map | Geo | Split


def look_up(request: Request, name: str, fill: Fill) -> str | None:
    """The value of a table's variable; None where no table makes a variable of this name."""
    table = request.configuration.once(tables).get(name)
    if table is None:
        return None
    if isinstance(table, Map):
        value = _from_map(request, name, table, fill)
    elif isinstance(table, Geo):
        value = _from_geo(request, name, table, fill)
    else:
        value = _from_split(request, name, table, fill)
    if not (isinstance(table, Map) and table.volatile):
        request.values[name] = value
    return value


def _from_map(request: Request, name: str, table: Map, fill: Fill) -> str:
    key = fill(table.source)
    if unknown_in(key):
        options = [(value, f'${name} is "{said(octets(value))}"') for value in table.values()]
        return fill(
            request.choices.choose(
                ("map", name), options, f"${name} ({table.at}) depends on {request.choices.why(key)}"
            )
        )
    value = fill(_entry(request, table, key))
    request.step_for_headers(f'${name} is "{said(value)}" ({table.at})', (table.source,))
    return value


def _entry(request: Request, table: Map, key: str) -> str:
    """The entry of a map for a key."""
    if table.hostnames:
        key = key.removesuffix(".")
    lower = key.lower()
    if table.hostnames:
        if (found := table.wildcards.find(lower)) is not None:
            return found[1]
    elif (exact := table.exact.get(lower)) is not None:
        return exact
    if key:
        for source, caseless, value, at in table.regexes:
            if request.regex(source, key, at, caseless=caseless):
                return value
    return table.default


def _from_geo(request: Request, name: str, table: Geo, fill: Fill) -> str:
    address = request.client if table.source is None else fill(table.source)
    if unknown_in(address):
        values = dict.fromkeys([*table.networks.values(), *table.spans.values(), table.default])
        options = [(octets(value), f'${name} is "{said(octets(value))}"') for value in values]
        return request.choices.choose(
            ("geo", name), options, f"${name} ({table.at}) depends on {request.choices.why(address)}"
        )
    address = _forwarded(table, address, request.header("x-forwarded-for") or "")
    value = table.find(text_of(address))
    request.step(f'${name} is "{said(octets(value))}" for a client at {said(address)} ({table.at})')
    return octets(value)


def _forwarded(table: Geo, address: str, header: str) -> str:
    """The address that counts where trusted proxies wrote others down, the last one first."""
    while header.strip(" ,"):
        sender = _address(address)
        if sender is None or not any(sender in network for network in table.proxies):
            break
        *before, last = re.split("[ ,]+", header.rstrip(" ,"))
        if _address(last) is None:
            break
        address, header = last, ",".join(before)
        if not table.recursive:
            break
    return address


def _from_split(request: Request, name: str, table: Split, fill: Fill) -> str:
    key = fill(table.source)
    of_client = not request.client_given and any(_TELLS_CLIENTS_APART.match(one) for one in variables(table.source))
    if not of_client and not unknown_in(key):
        return octets(table.find(key))
    options = [(octets(value), f'${name} is "{said(octets(value))}"') for _, value in table.shares]
    if not table.shares or table.shares[-1][0] <= ALL_HASHES:
        options.append(("", f"${name} is empty"))
    return request.choices.choose(
        ("split", name), list(dict(options).items()), f"split_clients deals ${name} out ({table.at})"
    )


def murmur(key: bytes) -> int:
    """MurmurHash2 of a key with a seed of 0, as split_clients reckons it (ngx_murmurhash.c)."""
    number = len(key)
    words = len(key) - len(key) % 4
    for at in range(0, words, 4):
        word = int.from_bytes(key[at : at + 4], "little") * _MIX & ALL_HASHES
        word = (word ^ word >> 24) * _MIX & ALL_HASHES
        number = number * _MIX & ALL_HASHES ^ word
    if words < len(key):
        number = (number ^ int.from_bytes(key[words:], "little")) * _MIX & ALL_HASHES
    number = (number ^ number >> 13) * _MIX & ALL_HASHES
    return number ^ number >> 15


def tables(configuration: Configuration) -> dict[str, Table]:
    """Every table of a configuration by the name of its variable."""
    found: dict[str, Table] = {}
    for http in configuration.all("http"):
        for directive in http.block or ():
            if directive.block is None or not directive.args:
                continue
            if directive.name == "map" and len(directive.args) == 2:
                found[_bare(directive.args[1])] = _map(directive)
            elif directive.name == "geo":
                source = directive.args[0] if len(directive.args) == 2 else None
                found[_bare(directive.args[-1])] = _geo(directive, source)
            elif directive.name == "split_clients" and len(directive.args) == 2:
                found[_bare(directive.args[1])] = _split(directive)
    return found


def _bare(variable: str) -> str:
    return variable.removeprefix("$").lower()


def _map(directive: Directive) -> Map:
    made = Map(directive.args[0], directive.at)
    entries = directive.block or []
    made.volatile = any(entry.name == "volatile" and not entry.args for entry in entries)
    made.hostnames = any(entry.name == "hostnames" and not entry.args for entry in entries)
    for entry in entries:
        if len(entry.args) != 1 or entry.name == "include":
            continue
        key, value = entry.name, entry.args[0]
        if key == "default":
            made.default = value
        elif key.startswith("~"):
            caseless = key.startswith("~*")
            made.regexes.append((key[2 if caseless else 1 :], caseless, value, entry.at))
        else:
            key = key.removeprefix("\\")
            made.exact.setdefault(octets(key).lower(), value)
            if made.hostnames:
                made.wildcards.add(key, value)
    return made


def _geo(directive: Directive, source: str | None) -> Geo:
    made = Geo(source, directive.at)
    entries = directive.block or []
    switches = {entry.name for entry in entries if not entry.args}
    made.ranges, made.recursive = "ranges" in switches, "proxy_recursive" in switches
    for entry in entries:
        if len(entry.args) != 1:
            continue
        key, value = entry.name, entry.args[0]
        if key == "default":
            made.default = value
        elif key in {"proxy", "delete"}:
            network = _network(value)
            if network is not None and key == "proxy":
                made.proxies.append(network)
            elif network is not None:
                made.networks.pop(network, None)
        elif made.ranges:
            _add_range(made, key, value)
        elif (network := _network(key)) is not None:
            made.networks[network] = value
    return made


def _split(directive: Directive) -> Split:
    made = Split(directive.args[0], directive.at)
    hundredths = 0
    for entry in directive.block or ():
        if len(entry.args) != 1:
            continue
        hundredths += _hundredths(entry.name)
        end = ALL_HASHES + 1 if entry.name == "*" else hundredths * ALL_HASHES // 10000
        made.shares.append((end, entry.args[0]))
    return made


def _hundredths(percentage: str) -> int:
    before, _, behind = percentage.removesuffix("%").partition(".")
    return whole(before, 0) * 100 + whole(f"{behind:0<2}"[:2], 0)


def _add_range(geo: Geo, key: str, value: str) -> None:
    first, _, last = key.partition("-")
    one, other = _address(first), _address(last or first)
    if one is not None and other is not None:
        geo.spans[one.version, int(one), int(other)] = value


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _network(text: str) -> Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
