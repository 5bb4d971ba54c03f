"""Working examples of calling the Gemini API with a key, in the languages that people ask for."""
