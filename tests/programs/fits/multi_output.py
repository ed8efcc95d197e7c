import numpy as np
import hashlib
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(55)

num_tags = 12  # Number of unique issue tags
num_words = 50  # Size of vocabulary
num_departments = 4  # Number of departments for predictions

title_input = keras.Input(shape=(None,), name="title")  # Variable-length sequence of ints
body_input = keras.Input(shape=(None,), name="body")
tags_input = keras.Input(shape=(num_tags,), name="tags")  # Binary vectors

# Embed each word
title_features = layers.Embedding(num_words, 8)(title_input)
body_features = layers.Embedding(num_words, 8)(body_input)

title_features = layers.GRU(8)(title_features)
body_features = layers.GlobalAveragePooling1D()(body_features)

x = layers.concatenate([title_features, body_features, tags_input])

priority_pred = layers.Dense(1, name="priority")(x)
department_pred = layers.Dense(num_departments, name="department")(x)

model = keras.Model(
    inputs={"title": title_input, "body": body_input, "tags": tags_input},
    outputs={"priority": priority_pred, "department": department_pred},
)

model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={
        "priority": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
    loss_weights={"priority": 1.0, "department": 0.2},
    metrics={"department": ["accuracy"]},
    steps_per_execution=2,
)

# Dummy tickets
title_data = np.random.randint(num_words, size=(128, 6))
body_data = np.random.randint(num_words, size=(128, 20))
tags_data = np.random.randint(2, size=(128, num_tags)).astype("float32")
priority_targets = np.random.randint(2, size=(128, 1)).astype("float32")
dept_targets = np.eye(num_departments, dtype="float32")[np.random.randint(num_departments, size=128)]

model.fit(
    {"title": title_data, "body": body_data, "tags": tags_data},
    {"priority": priority_targets, "department": dept_targets},
    epochs=3,
    batch_size=32,
    verbose=2,
)

out = model.predict({"title": title_data[:2], "body": body_data[:2], "tags": tags_data[:2]}, verbose=0)
for name in sorted(out):
    print(name, np.round(out[name], 3).tolist())

print(hashlib.sha256(b"".join(w.tobytes() for w in model.get_weights())).hexdigest())
