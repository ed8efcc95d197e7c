"""Why planted faults are missed, as far as somebody looked: by the fault's name."""

REASONS: dict[str, str] = {
    "tutorial-v2/filters": "no rule is asked for: TensorFlow refuses it and `trace` explains that",
}
