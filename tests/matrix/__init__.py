"""The unit tests beside every release of the libraries around us that is supported, and on every supported Python."""
