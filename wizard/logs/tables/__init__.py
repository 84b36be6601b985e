"""The messages of each program as rows: one file a program, or one a subject where a program says much.

Owns the wording and what it means. May not know how a line is split, or which row applies.
"""
