"""Networks and losses with an output at every point of a grid."""
