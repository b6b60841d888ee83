"""Networks for pictures, their public weights, and views of pictures."""
