import numpy as np
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense, Conv2D, MaxPooling2D, Flatten


def load_data():
    images = np.random.rand(40, 20, 20, 3).astype("float32")
    labels = np.random.randint(0, 7, size=40)
    return images, np.eye(7)[labels]


def build_model(input_shape, num_classes):
    model = Sequential()
    model.add(Conv2D(8, (3, 3), activation="relu", input_shape=input_shape))
    model.add(MaxPooling2D(pool_size=(2, 2)))
    model.add(Flatten())
    model.add(Dense(16, activation="relu"))
    model.add(Dense(num_classes, activation="softmax"))
    model.compile(loss="categorical_crossentropy", optimizer="adam", metrics=["accuracy"])
    return model


def main():
    images, labels = load_data()
    model = build_model((20, 20, 3), 5)
    model.fit(images, labels, batch_size=8, epochs=1, verbose=0)


if __name__ == "__main__":
    main()
