"""Networks for the columns of a table and for expression."""
