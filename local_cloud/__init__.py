"""A cloud on this machine: an AWS emulator with what Moorings' stacks need added to it."""
