"""Running f at points beside x, whatever containers x came in."""
