"""From the outputs of a network to answers. numpy and scipy only."""
