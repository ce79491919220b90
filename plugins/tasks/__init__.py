"""Tasks: where the questions are and how a row becomes a sample."""
