"""Records a user's training, Keras `fit` or a loop, while it runs."""
