"""Image archives that are asked over the network, each by its own protocol: objects and changes."""
