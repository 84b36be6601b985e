"""What screens and plain lines show, as frozen values of visible text, made by pure functions from sessions."""
