"""Losses and outputs for the time to an event."""
