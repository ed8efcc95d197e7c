import numpy as np
from keras.models import Sequential
from keras.layers import Dense
X = np.random.rand(40, 4)
y = np.random.randint(0, 2, 40)
model = Sequential()
model.add(Dense(6, input_dim=4, activation="relu"))
model.add(Dense(1, activation="sigmoid"))
model.compile(loss="binary_crossentropy", optimizer="adam")
model.fit(X, y, verbose=0)
sample = np.array([0.1, 0.2, 0.3, 0.4])
print(model.predict(sample))
