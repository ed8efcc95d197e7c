import random
import hashlib
import numpy as np
from collections import deque
from tensorflow.keras.models import Sequential
from tensorflow.keras.layers import Dense
from tensorflow.keras.optimizers import Adam
from tensorflow.keras.utils import set_random_seed

EPISODES = 4


class Corridor:
    # Seven cells in a row; walking off to the right pays.
    def reset(self):
        self.cell, self.time = 3, 0
        return self._state()

    def _state(self):
        return np.array([[self.cell / 6.0, self.time / 8.0, 1.0]], dtype=np.float32)

    def step(self, action):
        self.cell += 1 if action == 1 else -1
        self.time += 1
        done = self.cell in (0, 6) or self.time >= 8
        return self._state(), (1.0 if self.cell == 6 else -0.05), done


class DQNAgent:
    def __init__(self, state_size, action_size):
        self.state_size, self.action_size = state_size, action_size
        self.memory = deque(maxlen=200)
        self.gamma = 0.95    # discount rate
        self.epsilon, self.epsilon_decay = 1.0, 0.9   # exploration
        self.model = self._build_model()
        self.target_model = self._build_model()
        self.update_target_model()

    def _build_model(self):
        model = Sequential()
        model.add(Dense(16, input_dim=self.state_size, activation='relu'))
        model.add(Dense(self.action_size, activation='linear'))
        model.compile(loss='mse', optimizer=Adam(learning_rate=0.01))
        return model

    def update_target_model(self):
        self.target_model.set_weights(self.model.get_weights())

    def act(self, state):
        if np.random.rand() <= self.epsilon:
            return random.randrange(self.action_size)
        return int(np.argmax(self.model.predict(state, verbose=0)[0]))

    def replay(self, batch_size):
        minibatch = random.sample(list(self.memory), batch_size)
        for state, action, reward, next_state, done in minibatch:
            target = self.model.predict(state, verbose=0)
            target[0][action] = reward
            if not done:
                target[0][action] += self.gamma * np.amax(self.target_model.predict(next_state, verbose=0)[0])
            self.model.fit(state, target, epochs=1, verbose=0)
        self.epsilon *= self.epsilon_decay


if __name__ == "__main__":
    set_random_seed(5)
    env = Corridor()
    agent = DQNAgent(3, 2)
    for e in range(EPISODES):
        state, done, score = env.reset(), False, 0.0
        while not done:
            action = agent.act(state)
            next_state, reward, done = env.step(action)
            agent.memory.append((state, action, reward, next_state, done))
            state, score = next_state, score + reward
        agent.update_target_model()
        print("episode: {}/{}, score: {:.2f}, e: {:.2}".format(e, EPISODES, score, agent.epsilon))
        if len(agent.memory) > 4:
            agent.replay(3)
    print(hashlib.sha256(b"".join(w.tobytes() for w in agent.model.get_weights() + agent.target_model.get_weights())).hexdigest())
