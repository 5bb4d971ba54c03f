"""keyadmin: administer Google Cloud projects and Gemini API keys. Importing this package imports nothing heavy."""

__version__ = "0.2.0"
