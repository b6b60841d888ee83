"""What was read of all rows, by sort: checks, hashes, summaries, pictures, cache. No torch."""
