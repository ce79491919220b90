"""Metrics: what is measured of the answers."""
