"""A local Google for tests: TLS fronts for *.googleapis.com in front of a served sandbox, a proxy, identity services, faults.

It lives here and not in the package, whose promise is that a sandbox is never mistaken for Google.
"""
