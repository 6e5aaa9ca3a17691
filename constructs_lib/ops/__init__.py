"""The command line, ``moorings``: one file a command. ``check`` and ``images check`` need the base install only."""
