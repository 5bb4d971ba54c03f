"""APIs that are called with an API key and that the sandbox answers with next to nothing: so that keys are used."""
