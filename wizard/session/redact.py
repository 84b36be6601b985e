"""A session without secrets, for everything that is written or shared.

Owns nothing but the order: first the marks that are already there, then the rest. Addresses, names and paths stay: a
diagnosis without them helps nobody.
"""

from __future__ import annotations

import msgspec

from wizard.host.redaction import redacted, redacted_again, texts
from wizard.host.secrets import Redactor, marks_in
from wizard.session.session import Session


def without_secrets(session: Session, redactor: Redactor | None = None) -> Session:
    """The session with all secrets replaced; itself, in effect, where they are already.

    Args:
        session: what is going to be written or shown to others.
        redactor: the one of the recording, so that one secret has one mark; a new one continues its numbers.
    """
    if redactor is None:
        data = (text if isinstance(text, bytes) else text.encode("utf-8", "replace") for text in texts(session))
        redactor = Redactor(first=1 + max(map(marks_in, data), default=0))
    asked = redacted(session.asked, redactor)  # first: configurations show what is secret in a target or a summary
    done = msgspec.structs.replace(
        session,
        target=redacted(session.target, redactor),
        options=redacted(session.options, redactor),
        events=redacted(session.events, redactor),
        asked=asked,
    )
    return redacted_again(done, redactor)
