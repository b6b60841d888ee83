"""Tables of databases: which one, read only, and nothing but a SELECT."""
