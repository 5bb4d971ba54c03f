"""A local Google Cloud: one SQLite store, one file of rules a service, and two doors (gRPC and REST) onto them."""
