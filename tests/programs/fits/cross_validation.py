import hashlib
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers

keras.utils.set_random_seed(0)

# House prices for a small town, 13 numbers a house.
rng = np.random.RandomState(0)
train_data = rng.rand(96, 13) * rng.randint(1, 50, 13)
train_targets = 10 + train_data[:, 0] * 0.3 + rng.randn(96)

mean = train_data.mean(axis=0)
train_data -= mean
std = train_data.std(axis=0)
train_data /= std


def build_model():
    # Called once per fold, so it lives in a function.
    model = keras.Sequential([
        layers.Dense(16, activation="relu"),
        layers.Dense(16, activation="relu"),
        layers.Dense(1)
    ])
    model.compile(optimizer="rmsprop", loss="mse", metrics=["mae"])
    return model


k = 3
num_val_samples = len(train_data) // k
num_epochs = 2
all_scores = []
all_mae_histories = []
digest = hashlib.sha256()

for i in range(k):
    print(f"Processing fold #{i}")
    keras.backend.clear_session()
    val_data = train_data[i * num_val_samples: (i + 1) * num_val_samples]
    val_targets = train_targets[i * num_val_samples: (i + 1) * num_val_samples]
    partial_train_data = np.concatenate(
        [train_data[:i * num_val_samples],
         train_data[(i + 1) * num_val_samples:]],
        axis=0)
    partial_train_targets = np.concatenate(
        [train_targets[:i * num_val_samples],
         train_targets[(i + 1) * num_val_samples:]],
        axis=0)
    model = build_model()
    history = model.fit(partial_train_data, partial_train_targets,
                        validation_data=(val_data, val_targets),
                        epochs=num_epochs, batch_size=16, verbose=0)
    all_mae_histories.append(history.history["val_mae"])
    val_mse, val_mae = model.evaluate(val_data, val_targets, verbose=0)
    all_scores.append(val_mae)
    for w in model.get_weights():
        digest.update(w.tobytes())

print([round(float(s), 4) for s in all_scores])
print("mean over folds: %.4f" % np.mean(all_scores))
average_mae_history = [np.mean([x[i] for x in all_mae_histories]) for i in range(num_epochs)]
print(["%.4f" % v for v in average_mae_history])

print(digest.hexdigest())
