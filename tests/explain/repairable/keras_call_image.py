import tensorflow as tf
model = tf.keras.Sequential([
    tf.keras.layers.Conv2D(4, 3, input_shape=(32, 32, 3)),
    tf.keras.layers.GlobalMaxPooling2D(),
    tf.keras.layers.Dense(2),
])
image = tf.random.uniform((32, 32, 3))
print(model(image))
