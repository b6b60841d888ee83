"""Who was answered what: the record of it, and the table that keeps it."""
