"""Extracts the cause from the message of an exception.

Keras and TensorFlow add text to messages. This module loads neither of them, because a program may
fail before it imports them.
"""

from __future__ import annotations

import re

# End of a run-time message, where TensorFlow appends the op that raised it.
OP_NAMED = re.compile(r"\s*\[\[\{\{.*", re.DOTALL)
FIRST_OF_SEVERAL = re.compile(r"\d+ root error\(s\) found\.\s+\(0\) \w+: (.*?)(?=\n|\Z)", re.DOTALL)
OF_A_LAYER = re.compile(r"Exception encountered when calling .*?\x1b\[1m(.*?)\x1b\[0m", re.DOTALL)
WHILE_BUILT = re.compile(r"Error encountered:\s+(.+?)\s+Arguments received by", re.DOTALL)
SIZES_FOLLOW = "Data cardinality is ambiguous"  # Keras lists the inputs on the next lines
CONTROL_CODES = re.compile(r"\x1b\[[0-9;]*m")
REWRITTEN = "in user code:"  # start of a message about code that AutoGraph rewrote


def message(error: BaseException) -> str:
    """Return the whole message of an exception."""
    return str(getattr(error, "message", None) or error)


def cause(error: BaseException) -> str:
    """Return the line of a message that has the cause, without text that TensorFlow adds."""
    text = message(error)
    if isinstance(error, SystemExit):
        return f"the program exited with code {error.code!r}"
    if isinstance(error, KeyError) and error.args:
        text = repr(error.args[0])
    while_built = WHILE_BUILT.search(text)
    text = while_built[1] if while_built else text
    several = FIRST_OF_SEVERAL.search(text)
    of_layer = OF_A_LAYER.search(text)
    if of_layer:
        text = of_layer[1]
    elif several:
        text = several[1]
    elif OP_NAMED.search(text):
        text = _last_line(OP_NAMED.sub("", text))
    elif text.startswith(REWRITTEN):
        text = _last_line(text).partition(": ")[2] or _last_line(text)
    text = re.sub(r"\{\{function_node [^}]+\}\}\s*", "", CONTROL_CODES.sub("", text)).strip()
    if text.startswith(SIZES_FOLLOW):
        return " ".join(text.split())
    return text.splitlines()[0] if text else "no message"


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
