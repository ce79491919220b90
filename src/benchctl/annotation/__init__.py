"""Labels that people give to free answers: stored key by key, and compared with what the rules read."""
