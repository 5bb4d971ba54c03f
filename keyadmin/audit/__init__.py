"""Auditing the keys of many projects: what is known (inventory), what is wrong with it (rules), how it is told (report)."""
