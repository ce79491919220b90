"""Training: recipes that produce adapters, on the trainers of trl and transformers."""
