"""A local Google Cloud: its state (`world.py`), one folder of rules a service, and two transports (gRPC and REST) onto them.

Nothing of keyadmin is known here but `keyadmin.data` and the form of key strings, so that client and sandbox cannot share a
mistake.
"""
