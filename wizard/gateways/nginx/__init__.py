"""nginx: found, read from its files, routed and its logs understood, as nginx itself does it."""
