"""Client wrappers, one file a Google service: asynchronous, and only keyadmin's own dataclasses go in and out."""
