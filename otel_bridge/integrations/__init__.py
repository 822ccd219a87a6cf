"""What puts the bridge into an application that knows nothing of it."""
