import numpy as np
X = np.random.rand(20, 4)
y = np.random.rand(20, 1)
w = np.zeros((4, 1))
for _ in range(3):
    err = X @ w - y
    w -= 0.1 * np.dot(X, err) / 20
