"""Log lines as facts: what each program wrote, in which phase, with which errno, about which upstream.

Owns the wording of twelve programs over fifteen years of versions. Pure: takes text or a tail that was read elsewhere.
May not know checks, flows, or how a log is found.
"""
