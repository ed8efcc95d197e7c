"""The networks of the corpus, a module each. `build(shapes, units, **settings)` returns a Keras
model that takes inputs of these shapes (without the batch) and answers with so many units.

Its keywords are what a fault may change. Only a process that trains imports these modules.
"""

# Which module builds the networks of a kind; the tutorial's is the program's own.
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
