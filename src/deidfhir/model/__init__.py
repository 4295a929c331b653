"""What the objects state, as frozen values; standard library only."""
