"""`python -m clavilux`: the command line."""

from clavilux.cli import main

if __name__ == "__main__":
    main()
