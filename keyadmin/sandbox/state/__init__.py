"""What the sandbox holds, whichever service asks: store, clock, hierarchy, policies, operations."""
