"""One request in the uwsgi protocol; its reply is an HTTP reply.

Owns the packet of modifier 0, a WSGI request (uwsgi-docs, Protocol). May not know what the variables mean.
"""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<BHB")
_LONGEST = 0xFFFF


def uwsgi_request(params: tuple[tuple[str, str], ...]) -> bytes:
    """The packet: modifier 0, the size of the variables, modifier 0, then each name and value with its size.

    Raises:
        ValueError: the variables do not fit into one packet, which has 64 KiB.
    """
    block = bytearray()
    for pair in params:
        for text in pair:
            raw = text.encode("utf-8", "surrogateescape")
            if len(raw) > _LONGEST:
                raise ValueError("a uwsgi variable is longer than 65535 bytes")
            block += len(raw).to_bytes(2, "little") + raw
    if len(block) > _LONGEST:
        raise ValueError(f"the uwsgi variables have {len(block)} bytes, more than the 65535 of a packet")
    return _HEADER.pack(0, len(block), 0) + bytes(block)
