"""Decoded pictures: what a picture is, and Pillow as reader."""
