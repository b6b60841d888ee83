"""What a prediction is worth. numpy only: it can judge any model."""
