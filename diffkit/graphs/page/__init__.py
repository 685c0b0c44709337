"""The page that plays a program, forward and back."""
