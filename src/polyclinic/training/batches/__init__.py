"""Which rows a step takes, how often, and what each of them weighs."""
