"""How a user's name becomes the name of a layer."""


def key(name: str) -> str:
    """A layer name that no attribute of a torch container can collide with, whatever the user chose (``values``)."""
    return f"@{name}"
