import tensorflow as tf
mnist_x = tf.random.uniform((64, 28, 28))
mnist_y = tf.random.uniform((64,), 0, 10, tf.int32)
ds = tf.data.Dataset.from_tensor_slices((mnist_x, mnist_y)).batch(16)
class MyModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        self.conv1 = tf.keras.layers.Conv2D(4, 3, activation='relu')
        self.flatten = tf.keras.layers.Flatten()
        self.d1 = tf.keras.layers.Dense(10)
    def call(self, x):
        x = self.conv1(x)
        x = self.flatten(x)
        return self.d1(x)
model = MyModel()
loss_fn = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
opt = tf.keras.optimizers.Adam()
@tf.function
def train_step(images, labels):
    with tf.GradientTape() as tape:
        predictions = model(images, training=True)
        loss = loss_fn(labels, predictions)
    grads = tape.gradient(loss, model.trainable_variables)
    opt.apply_gradients(zip(grads, model.trainable_variables))
for images, labels in ds:
    train_step(images, labels)
