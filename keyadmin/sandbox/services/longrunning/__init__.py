"""Long-running operations, of every API."""
