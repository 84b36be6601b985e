"""`python -m wizard` is the command `gateway-wizard`."""

from __future__ import annotations

from wizard.cli import main

raise SystemExit(main())
