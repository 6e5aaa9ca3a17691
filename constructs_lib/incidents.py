"""Which lesson is served by what: data, from which the README's table is written. Standard library only."""
