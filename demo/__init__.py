"""Both environments on this machine: ``make demo``. It never touches AWS."""
