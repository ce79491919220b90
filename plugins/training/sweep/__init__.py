"""``benchctl sweep``: many trainings of one recipe, to find the values that train best."""
