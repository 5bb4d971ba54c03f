"""The sinks: one file a kind."""
