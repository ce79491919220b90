"""Reports: run records and reference scores become a leaderboard, and the leaderboard becomes one HTML file.

The line: :mod:`.command` reads the runs -> :func:`.leaderboard.build_leaderboard` (pure: what stands in which row and
cell, and what may be compared) -> :func:`.page.render` (pure: words, numbers and markup of one language). No model is
ever called here, and nothing here is imported by the core.
"""
