"""Rotation: generations of one credential, kept in key ids and annotations so that any machine can go on with it."""
