import hashlib
import numpy as np
import tensorflow as tf
from tensorflow.keras.layers import Dense, Dropout

tf.keras.utils.set_random_seed(2)


class CustomTrainStep(tf.keras.Model):
    """Adds up gradients over n_gradients batches before each update."""

    def __init__(self, n_gradients, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.n_gradients = tf.constant(n_gradients, dtype=tf.int32)
        self.n_acum_step = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.gradient_accumulation = [
            tf.Variable(tf.zeros(v.shape, dtype=tf.float32), trainable=False)
            for v in self.trainable_variables]

    @tf.function
    def train_step(self, data):
        self.n_acum_step.assign_add(1)

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(x=x, y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        # Accumulate batch gradients
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign_add(gradients[i])

        # If enough batches were seen, apply; otherwise do nothing
        tf.cond(tf.equal(self.n_acum_step, self.n_gradients), self.apply_accu_gradients, lambda: None)

        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}

    def apply_accu_gradients(self):
        scale = tf.cast(self.n_gradients, tf.float32)
        self.optimizer.apply_gradients(
            [(g / scale, v) for g, v in zip(self.gradient_accumulation, self.trainable_variables)])
        # reset
        self.n_acum_step.assign(0)
        for i in range(len(self.gradient_accumulation)):
            self.gradient_accumulation[i].assign(tf.zeros_like(self.gradient_accumulation[i]))


rng = np.random.default_rng(2)
x_train = rng.random((192, 100)).astype("float32")
y_train = x_train[:, :10].argmax(1)

input = tf.keras.Input(shape=(100,))
base_maps = Dense(32, activation="relu")(input)
base_maps = Dropout(0.1)(base_maps)
base_maps = Dense(10, activation='softmax', name='primary')(base_maps)
custom_model = CustomTrainStep(n_gradients=3, inputs=[input], outputs=[base_maps])

# bind all
custom_model.compile(
    loss=tf.keras.losses.SparseCategoricalCrossentropy(),
    metrics=['accuracy'],
    optimizer=tf.keras.optimizers.Adam(learning_rate=0.01))

custom_model.fit(x_train, y_train, batch_size=16, epochs=2, verbose=2)
print("updates:", int(custom_model.optimizer.iterations.numpy()))

print(hashlib.sha256(b"".join(v.numpy().tobytes() for v in custom_model.trainable_variables)).hexdigest())
