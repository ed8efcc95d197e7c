"""Sorts mail by urgency and by department. After keras-team/keras #19951."""
import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow.keras import layers

num_flags = 9
num_words = 200
num_departments = 3

subject_input = keras.Input(shape=(None,), name="subject")
text_input = keras.Input(shape=(None,), name="text")
flags_input = keras.Input(shape=(num_flags,), name="flags")

subject_features = layers.Embedding(num_words, 8)(subject_input)
text_features = layers.Embedding(num_words, 8)(text_input)
subject_features = layers.LSTM(12)(subject_features)
text_features = layers.LSTM(6)(text_features)

x = layers.concatenate([subject_features, text_features, flags_input])
urgency = layers.Dense(1, name="urgency")(x)
department = layers.Dense(num_departments, name="department")(x)

model = keras.Model(
    inputs=[subject_input, text_input, flags_input],
    outputs={"urgency": urgency, "department": department},
)
model.compile(
    optimizer=keras.optimizers.RMSprop(1e-3),
    loss={
        "urgency": keras.losses.BinaryCrossentropy(from_logits=True),
        "department": keras.losses.CategoricalCrossentropy(from_logits=True),
    },
)

subject_data = np.random.randint(num_words, size=(32, 6))
text_data = np.random.randint(num_words, size=(32, 15))
flags_data = np.random.randint(2, size=(32, 7)).astype("float32")
urgency_targets = np.random.random(size=(32, 1))
department_targets = np.eye(num_departments)[np.random.randint(num_departments, size=32)]

model.fit(
    {"subject": subject_data, "text": text_data, "flags": flags_data},
    {"urgency": urgency_targets, "department": department_targets},
    epochs=1,
    batch_size=16,
    verbose=0,
)
