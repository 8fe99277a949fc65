"""Runs in one file."""
