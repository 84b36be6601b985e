"""The wizard in plain lines: the same walk, for people who listen to a screen or have none."""
