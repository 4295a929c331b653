"""Files that hold files: members as streams, within limits, nothing unpacked to the disk."""
