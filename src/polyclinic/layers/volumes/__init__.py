"""Views of volumes."""
