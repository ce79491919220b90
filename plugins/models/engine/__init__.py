"""The scoring engine: log-likelihoods and generation on a transformers model, with shared prompts where possible."""
