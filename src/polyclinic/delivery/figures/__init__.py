"""Figures as SVG: text stays text, colours come from the page, the same numbers give the same bytes."""
