"""Organisation policies that keep keys in order: planned, rehearsed, applied, shown, taken away."""
