"""The one call, and the ways without it: each application in a process of its own."""
