"""Networks for tokens: encoders, tags, relations."""
