import random
import numpy as np
from collections import deque
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
class Agent:
    def __init__(self, state_size, action_size):
        self.state_size, self.action_size = state_size, action_size
        self.memory = deque(maxlen=100)
        self.model = self._build()
    def _build(self):
        model = Sequential()
        model.add(Dense(24, input_dim=self.state_size, activation="relu"))
        model.add(Dense(self.action_size, activation="linear"))
        model.compile(loss="mse", optimizer="adam")
        return model
    def act(self, state):
        q = self.model.predict(state, verbose=0)
        return np.argmax(q[0])
agent = Agent(4, 2)
state = np.random.rand(4)
print(agent.act(state))
