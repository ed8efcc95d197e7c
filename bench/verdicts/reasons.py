"""Why planted faults are missed or not counted, as far as somebody looked: by their names."""

# What of the held half was seen while rules were still being changed.
SEEN = (
    "The held half with seed 0 was not seen blindly: after two alarms on transformers biases and"
    " dropouts inside of attention were left alone, after missed faults of `cnn` ops beside layers"
    " were looked at, and refused labels are told since then. With seed 1 nothing was changed any"
    " more."
)
FRESH = (
    "These kinds were written by somebody who had not read the rules, and judged once at the end."
)
NO_L2 = (
    "in so few steps weights grow as much with L2 as without it; a warning would be a false alarm"
)
LEARNS = "the loss falls by learning examples by heart, and stays just below chance"

REASONS: dict[str, str] = {
    "tutorial-v2/filters": "no rule is asked for: TensorFlow refuses it and `trace` explains that",
    "tutorial-v2/no-l2": NO_L2,
    "cnn-l2/no-l2": NO_L2,
    "mlp-strong-l2/no-l2": NO_L2,
    "mlp/shuffled": LEARNS,
    "lstm/shuffled": LEARNS,
    "mlp-deep/sigmoids": "Adam divides by the size of gradients: the first layer does move",
    "lstm/mixed-batch": "rows are mixed and have the right number again; sizes alone do not tell",
}
