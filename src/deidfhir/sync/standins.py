"""What stands for files in the journal, which holds no path."""

from __future__ import annotations

PATH_DIGITS = 10
"""How many digits of a file's digest stand for its path beside an instance."""
