"""Clouds, simulated from what their vendors publish; no test that uses them shows a real one."""
