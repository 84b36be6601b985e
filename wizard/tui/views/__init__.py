"""What the screens show, as frozen values of visible text, made by pure functions from sessions and reports."""
