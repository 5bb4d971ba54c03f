"""One folder a Google service: a folder with a `service.py` is registered by being there (see `registry.py`)."""
