"""Repairing keys after an audit: a plan of changes, carried out in waves, with a journal and a way back."""
