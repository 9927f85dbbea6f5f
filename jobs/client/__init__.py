"""Speaks to the platform over HTTP; the only place that spells its JSON keys."""
