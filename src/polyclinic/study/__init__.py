"""The study file: what it may say, which kinds exist, and how it is read. No torch."""
