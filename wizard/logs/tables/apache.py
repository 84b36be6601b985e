"""The table of Apache's messages (2.2 and 2.4), in order of precedence, and by their numbers.

Owns the order and the index. May not know how a line is split. A message comes without its errno and AH number.
"""

from __future__ import annotations

from wizard.logs.signatures import Signature
from wizard.logs.tables.apache_connecting import CONNECTING
from wizard.logs.tables.apache_fastcgi import FASTCGI
from wizard.logs.tables.apache_http import HTTP
from wizard.logs.tables.apache_itself import ITSELF
from wizard.logs.tables.apache_modules import MODULES
from wizard.logs.tables.apache_tls import TLS

_ROWS = (*CONNECTING, *HTTP, *TLS, *FASTCGI, *MODULES, *ITSELF)
MESSAGES: tuple[Signature, ...] = tuple(signature for _, signature in _ROWS)


def _numbered() -> dict[str, tuple[Signature, ...]]:
    numbered: dict[str, tuple[Signature, ...]] = {
        # ap_proxyerror prints every kind of failure under one number: only the text tells them apart.
        "AH00898": (),
    }
    for numbers, signature in _ROWS:
        for number in numbers.split():
            numbered[number] = (*numbered.get(number, ()), signature)
    return numbered


BY_NUMBER = _numbered()
