"""The scoring engine: log-likelihoods and generation on a transformers model, in plain batches or with shared prompts."""
