"""One file per service manager: who runs this, in what state, since when."""
