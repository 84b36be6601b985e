"""The live host: answers questions by asking this machine. The only package that touches it.

Owns every system call of the wizard. May not know what an answer means.
"""
