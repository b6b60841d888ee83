"""How each form of answer is judged."""
