"""What leaves, held against a value of its own in every attribute that could identify."""
