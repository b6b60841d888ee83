"""Another program's predictions, so that they can be judged like our own."""
