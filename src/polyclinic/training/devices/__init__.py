"""Where the numbers are computed: precision, and several processes for one fit."""
