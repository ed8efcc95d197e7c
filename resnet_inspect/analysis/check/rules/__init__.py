"""The rules of `check`, one module each; see `judge`."""
