"""A session without secrets, for everything that is written or shared.

Owns nothing but the order: first the marks that are already there, then the rest. Addresses, names and paths stay: a
diagnosis without them helps nobody.
"""

from __future__ import annotations

import msgspec

from wizard.host.redaction import highest_mark, redacted, redacted_again
from wizard.host.secrets import Redactor
from wizard.session.session import Session


def without_secrets(session: Session, redactor: Redactor | None = None, *, asked_without: bool = False) -> Session:
    """The session with all secrets replaced; itself, in effect, where they are already.

    Args:
        session: what is going to be written or shown to others.
        redactor: the one of the recording, so that one secret has one mark.
        asked_without: whether this redactor has been through what was asked, which is nearly all of a session.
    """
    redactor = redactor or Redactor()
    redactor.leave_out(highest_mark(session if not asked_without else msgspec.structs.replace(session, asked=())))
    # First: configurations show what is secret in a target or a summary.
    asked = session.asked if asked_without else redacted(session.asked, redactor)
    done = msgspec.structs.replace(
        session,
        target=redacted(session.target, redactor),
        options=redacted(session.options, redactor),
        events=redacted(session.events, redactor),
        asked=asked,
    )
    return redacted_again(done, redactor)
