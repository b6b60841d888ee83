"""The parts of the report, each a function from the material to markup."""
