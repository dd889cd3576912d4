import numpy as np


class Regressor:
    def __init__(self, hidden=8, learning_rate=0.05, n_iter=300):
        self.hidden = hidden
        self.learning_rate = learning_rate
        self.n_iter = n_iter

    def _init(self, n_features):
        rs = np.random.RandomState(7)
        self.W_hidden = rs.uniform(-1, 1, (n_features, self.hidden))
        self.b_hidden = np.zeros((1, self.hidden))
        self.W_out = rs.uniform(-1, 1, (self.hidden, 1))
        self.b_out = np.zeros((1, 1))

    def _relu(self, z):
        return np.where(z > 0, z, 0)

    def _forward(self, X):
        z = X.dot(self.W_hidden) + self.b_hidden
        a = self._relu(z)
        return z, a, a.dot(self.W_out) + self.b_out

    def fit(self, X, y):
        y = y.reshape(-1, 1)
        self._init(X.shape[1])
        n = len(X)
        self.losses_ = []
        for _ in range(self.n_iter):
            z, a, y_hat = self._forward(X)
            error = y_hat - y
            self.losses_.append(np.mean(error ** 2))
            grad_out = 2 * error / n
            grad_W_out = a.T.dot(grad_out)
            grad_b_out = grad_out.sum(axis=0, keepdims=True)
            grad_hidden = grad_out.dot(self.W_out.T)
            grad_hidden[z <= 0] = 0
            grad_W_hidden = X.T.dot(grad_hidden)
            grad_b_hidden = grad_hidden.sum(axis=0, keepdims=True)
            self.W_out -= self.learning_rate * grad_W_out
            self.b_out -= self.learning_rate * grad_b_out
            self.W_hidden -= self.learning_rate * grad_W_hidden
            self.b_hidden -= self.learning_rate * grad_b_hidden
        return self

    def predict(self, X):
        return self._forward(X)[2].ravel()
