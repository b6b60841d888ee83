"""Plain torch modules that know no medicine."""
