import hashlib

import numpy as np
import tensorflow as tf

tf.keras.utils.set_random_seed(8)

# One week of made-up hourly weather: temperature, pressure, wind.
hours = np.arange(240)
noise = np.random.RandomState(0).randn(240, 3) * 0.1
data = np.stack([np.sin(hours * 2 * np.pi / 24),
                 np.cos(hours * 2 * np.pi / 60),
                 np.sin(hours * 2 * np.pi / 12)], axis=1) + noise

n = len(data)
train, val = data[:int(n * 0.7)], data[int(n * 0.7):]
train_mean, train_std = train.mean(axis=0), train.std(axis=0)
train = (train - train_mean) / train_std
val = (val - train_mean) / train_std


class WindowGenerator:
    def __init__(self, input_width, label_width, shift):
        self.input_width = input_width
        self.total_window_size = input_width + shift
        self.label_start = self.total_window_size - label_width

    def split_window(self, features):
        inputs = features[:, :self.input_width, :]
        labels = features[:, self.label_start:, :1]
        inputs.set_shape([None, self.input_width, None])
        return inputs, labels

    def make_dataset(self, data):
        data = np.array(data, dtype=np.float32)
        ds = tf.keras.utils.timeseries_dataset_from_array(
            data=data, targets=None, sequence_length=self.total_window_size,
            sequence_stride=1, shuffle=True, seed=1, batch_size=32)
        return ds.map(self.split_window)

    train = property(lambda self: self.make_dataset(train))
    val = property(lambda self: self.make_dataset(val))


class Baseline(tf.keras.Model):
    def call(self, inputs):
        return inputs[:, :, :1]


wide_window = WindowGenerator(input_width=12, label_width=12, shift=1)
val_performance = {}
baseline = Baseline()
baseline.compile(loss=tf.keras.losses.MeanSquaredError(), metrics=[tf.keras.metrics.MeanAbsoluteError()])
val_performance['Baseline'] = baseline.evaluate(wide_window.val, verbose=0, return_dict=True)


def compile_and_fit(model, window, patience=2, max_epochs=2):
    early_stopping = tf.keras.callbacks.EarlyStopping(monitor='val_loss', patience=patience, mode='min')
    model.compile(loss=tf.keras.losses.MeanSquaredError(), optimizer=tf.keras.optimizers.Adam(),
                  metrics=[tf.keras.metrics.MeanAbsoluteError()])
    return model.fit(window.train, epochs=max_epochs, validation_data=window.val,
                     callbacks=[early_stopping], verbose=0)


linear = tf.keras.Sequential([tf.keras.layers.Dense(units=1)])
lstm_model = tf.keras.models.Sequential([
    tf.keras.layers.LSTM(8, return_sequences=True),
    tf.keras.layers.Dense(units=1)
])
for name, model in [('Linear', linear), ('LSTM', lstm_model)]:
    compile_and_fit(model, wide_window)
    val_performance[name] = model.evaluate(wide_window.val, verbose=0, return_dict=True)

for name, value in val_performance.items():
    print(f'{name:8s}: {value["mean_absolute_error"]:0.4f}')
print(hashlib.sha256(b''.join(w.tobytes() for w in linear.get_weights() + lstm_model.get_weights())).hexdigest())
