"""The walk itself: the place where trees, checks and time meet, and where a target becomes subjects."""
