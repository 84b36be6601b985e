"""The screens: thin callers of the same runner. Only this package knows Textual; it never knows a host."""
