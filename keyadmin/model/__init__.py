"""What everything else speaks of, and nothing that asks anybody: keys, causes, secrets, durations."""
