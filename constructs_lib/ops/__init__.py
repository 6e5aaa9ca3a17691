"""The command line, ``moorings``: one file a command. ``images check`` needs the base install only."""
