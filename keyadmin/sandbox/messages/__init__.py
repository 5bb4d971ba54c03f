"""Requests and answers as data: shapes, JSON, protobuf, errors, pages, masks, filters."""
