"""What known wordings in an object's method texts mean: always inferred, never stated (D16)."""
