import numpy as np
real = np.random.rand(8, 28, 28)
fake = np.random.rand(8, 28, 28, 1)
X = np.concatenate((real, fake))
print(X.shape)
