"""The emulator: a stand-in for the remote platform, in its own process with its own database."""
