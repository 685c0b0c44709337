"""``python -m diffkit`` is the command line."""

from diffkit.cli import main

if __name__ == "__main__":
    main()
