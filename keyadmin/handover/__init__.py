"""Handing a key over without showing it: sinks, used alike by create, hand-over, rotate and migrate."""
