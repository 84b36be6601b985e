"""One package (or file) per gateway: find it, read what it runs with, route a URL, read its log."""
