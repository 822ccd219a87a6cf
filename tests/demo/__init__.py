"""The demo: real processes, real HTTP."""
