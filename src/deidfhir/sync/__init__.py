"""Keeping a target true to what it is given: a resource is a dictionary, nothing more."""
