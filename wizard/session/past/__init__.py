"""What a session's answers tell about the time before: one file for each sort of thing that happens to a host."""
