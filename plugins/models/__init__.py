"""Model backends: everything that can be asked."""
