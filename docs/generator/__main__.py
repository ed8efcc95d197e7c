"""`python -m docs.generator`: see the package."""

from docs.generator import write

if __name__ == "__main__":
    write()
