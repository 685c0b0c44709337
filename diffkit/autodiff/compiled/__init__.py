"""``dk.compile``: emitted source behind checks that it is still the program that was traced."""
