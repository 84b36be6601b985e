"""The table of nginx's messages, in order of precedence.

Owns the order. May not know how a line is split; the message comes without its action (`while ...`) and its fields.
"""

from __future__ import annotations

from wizard.logs.tables.nginx_answers import ANSWERS
from wizard.logs.tables.nginx_choosing import CLIENT, NAMES, SERVERS
from wizard.logs.tables.nginx_exchange import DEADLINES, LOST
from wizard.logs.tables.nginx_itself import LIMITS, START
from wizard.logs.tables.nginx_tls import TLS

MESSAGES = (*CLIENT, *NAMES, *SERVERS, *DEADLINES, *LOST, *TLS, *ANSWERS, *LIMITS, *START)
