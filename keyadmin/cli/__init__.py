"""The Typer commands: parse what was typed, call one use case, render the result."""
