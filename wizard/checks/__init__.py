"""The questions of the decision tree: one file per hop, and the registry that names them."""
