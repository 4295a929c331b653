"""The fault campaign: a sync under every fault that a network, a server or a disk can have."""
