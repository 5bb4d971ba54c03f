"""Work that nobody watches: notices of it, metrics, and the files that run it on a schedule."""
