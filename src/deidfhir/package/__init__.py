"""The published package: profiles, extensions, code systems and the rest, made from the tables."""
