"""What may be asked of a machine, and who answers: the live machine, a recording of it, or a recorded one."""
