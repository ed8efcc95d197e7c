"""Why planted faults are missed or not counted, as far as somebody looked: by their names."""

REASONS: dict[str, str] = {
    "tutorial-v2/filters": "no rule is asked for: TensorFlow refuses it and `trace` explains that",
}
