"""The decision trees: their language, loading and linting, and the pure engine that walks them."""
