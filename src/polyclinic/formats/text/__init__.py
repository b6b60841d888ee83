"""Tables that are text: out of their compression, encoding and records."""
