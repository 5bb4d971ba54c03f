"""How calls come in and answers go out: HTTP with JSON, gRPC, the control surface and the page."""
