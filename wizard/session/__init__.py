"""What happened in a walk, the verdict drawn from it, and the reports."""
