"""One module per command of the command line: each joins a host, the walk and a way to show it."""
