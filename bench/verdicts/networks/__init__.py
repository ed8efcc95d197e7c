"""The networks of the corpus, one module each.

`build(shapes, units, **settings)` returns a Keras model for inputs of these shapes, without the
batch axis, and with `units` outputs. A fault changes one of its keywords. Only a process that
trains imports these modules.
"""

# The module that builds the networks of each kind; the tutorial's network is in the package.
MODULES = {
    "mlp": "dense",
    "binary": "dense",
    "regression": "dense",
    "multilabel": "dense",
    "cnn": "convolutional",
    "lstm": "recurrent",
    "autoencoder": "autoencoding",
    "vae": "variational",
    "transformer": "attentive",
    "siamese": "paired",
    "finetuned": "finetuned",
    "tagging": "tagging",
    "signals": "signals",
    "segmentation": "segmenting",
    "text": "averaged",
    "counts": "counting",
    "spread": "counting",
    "tabular": "residual",
    "clicks": "wide",
    "separable": "separable",
    "colours": "separable",
    "triplet": "tripled",
}
