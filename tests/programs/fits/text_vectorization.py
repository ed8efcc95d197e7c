import hashlib
import re
import string

import numpy as np
import tensorflow as tf
from tensorflow.keras import layers
from tensorflow.keras import losses

tf.keras.utils.set_random_seed(123)

good = ["great", "lovely", "moving", "funny", "clever"]
bad = ["dull", "awful", "boring", "clumsy", "flat"]
filler = ["the", "movie", "plot", "was", "and", "actor", "scene", "a", "very<br />"]


def make_reviews(count, seed):
    r = np.random.RandomState(seed)
    texts, targets = [], []
    for _ in range(count):
        target = r.randint(2)
        words = list(r.choice(filler, 8)) + list(r.choice(good if target else bad, 3))
        r.shuffle(words)
        texts.append(" ".join(words) + "!")
        targets.append(target)
    return tf.data.Dataset.from_tensor_slices((texts, targets))


batch_size = 32
seed = 42
raw_train_ds = make_reviews(256, 1).shuffle(256, seed=seed).batch(batch_size)
raw_val_ds = make_reviews(64, 2).batch(batch_size)
raw_test_ds = make_reviews(64, 3).batch(batch_size)


def custom_standardization(input_data):
    lowercase = tf.strings.lower(input_data)
    stripped_html = tf.strings.regex_replace(lowercase, '<br />', ' ')
    return tf.strings.regex_replace(stripped_html,
                                    '[%s]' % re.escape(string.punctuation), '')


max_features = 60
sequence_length = 16
vectorize_layer = layers.TextVectorization(
    standardize=custom_standardization,
    max_tokens=max_features,
    output_mode='int',
    output_sequence_length=sequence_length)

# Only the text, never the labels, and only the training part.
train_text = raw_train_ds.map(lambda x, y: x)
vectorize_layer.adapt(train_text)
print('Vocabulary size: {}'.format(len(vectorize_layer.get_vocabulary())))


def vectorize_text(text, label):
    text = tf.expand_dims(text, -1)
    return vectorize_layer(text), label


AUTOTUNE = tf.data.AUTOTUNE
train_ds = raw_train_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
val_ds = raw_val_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)
test_ds = raw_test_ds.map(vectorize_text).cache().prefetch(buffer_size=AUTOTUNE)

model = tf.keras.Sequential([
    layers.Embedding(max_features, 16),
    layers.Dropout(0.2),
    layers.GlobalAveragePooling1D(),
    layers.Dense(1, activation='sigmoid')])

model.compile(loss=losses.BinaryCrossentropy(),
              optimizer='adam',
              metrics=[tf.metrics.BinaryAccuracy(threshold=0.5)])

history = model.fit(train_ds, validation_data=val_ds, epochs=2, verbose=2)
print("Loss: %.5f  Accuracy: %.4f" % tuple(model.evaluate(test_ds, verbose=0)))

print(hashlib.sha256(b"".join(w.numpy().tobytes() for w in model.weights)).hexdigest())
