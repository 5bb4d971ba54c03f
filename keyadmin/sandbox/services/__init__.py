"""The rules of each emulated Google service. Rules know neither HTTP nor gRPC."""
