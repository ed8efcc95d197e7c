# Sorting pictures of clothes into ten kinds.

# TensorFlow
import tensorflow as tf

# Helper libraries
import hashlib
import random
import numpy as np

keras = tf.keras

random.seed(42)
np.random.seed(42)
tf.random.set_seed(42)

class_names = ['Top', 'Trouser', 'Pullover', 'Dress', 'Coat',
               'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Boot']


def fake_fashion(count, seed):
    r = np.random.RandomState(seed)
    y = r.randint(0, 10, count)
    x = r.randint(0, 80, (count, 28, 28))
    for i, k in enumerate(y):
        x[i, k:k + 12, 14 - k // 2:20] += 150
    return x.astype(np.uint8), y.astype(np.uint8)


train_images, train_labels = fake_fashion(320, 7)
test_images, test_labels = fake_fashion(64, 8)

print(train_images.shape, len(train_labels), test_images.shape)

train_images = train_images / 255.0
test_images = test_images / 255.0

model = keras.Sequential([
    keras.layers.Input(shape=(28, 28)),
    keras.layers.Flatten(),
    keras.layers.Dense(64, activation='relu'),
    keras.layers.Dense(10)
])

model.compile(optimizer='adam',
              loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
              metrics=['accuracy'])

model.fit(train_images, train_labels, epochs=2, batch_size=32, verbose=2)

test_loss, test_acc = model.evaluate(test_images, test_labels, verbose=2)
print('\nTest accuracy:', round(float(test_acc), 4))

# Turn logits into something easier to read.
probability_model = keras.Sequential([model, keras.layers.Softmax()])
predictions = probability_model.predict(test_images, verbose=0)

for i in range(5):
    guess = np.argmax(predictions[i])
    print('{:8s} {:2.0f}% (really {})'.format(class_names[guess],
                                              100 * np.max(predictions[i]),
                                              class_names[test_labels[i]]))

# A single image still needs a batch axis.
img = np.expand_dims(test_images[1], 0)
print(img.shape, class_names[np.argmax(probability_model.predict(img, verbose=0)[0])])

print(hashlib.sha256(b''.join(w.tobytes() for w in model.get_weights())).hexdigest())
