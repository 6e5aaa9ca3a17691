"""The emulator's own process: MiniStack with our additions. It runs in the emulator's virtual environment."""
