"""Grids of voxels: what a scan and a mask are, and the bytes after a header."""
