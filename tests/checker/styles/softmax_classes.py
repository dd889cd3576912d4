import numpy as np

class MLP:
    """ReLU-Schicht, dann Softmax über drei Klassen."""

    def __init__(self, n_in, n_hidden, n_out, lr=0.1, reg=1e-3, momentum=0.9):
        rng = np.random.default_rng(4)
        self.W1 = rng.normal(0, np.sqrt(2 / n_in), (n_in, n_hidden))
        self.b1 = np.zeros(n_hidden)
        self.W2 = rng.normal(0, np.sqrt(2 / n_hidden), (n_hidden, n_out))
        self.b2 = np.zeros(n_out)
        self.lr, self.reg, self.mu = lr, reg, momentum
        self.vW1, self.vb1 = np.zeros_like(self.W1), np.zeros_like(self.b1)
        self.vW2, self.vb2 = np.zeros_like(self.W2), np.zeros_like(self.b2)

    def softmax(self, z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    def forward(self, X):
        self.z1 = X @ self.W1 + self.b1
        self.h = np.maximum(0, self.z1)
        self.scores = self.h @ self.W2 + self.b2
        return self.softmax(self.scores)

    def loss(self, probs, y):
        return -np.log(probs[np.arange(len(y)), y]).mean()

    def train_step(self, X, y):
        n = X.shape[0]
        probs = self.forward(X)
        dscores = probs.copy()
        dscores[np.arange(n), y] -= 1
        dscores /= n
        dW2 = self.h.T @ dscores
        db2 = dscores.sum(axis=0)
        dh = dscores @ self.W2.T
        dz1 = dh * (self.z1 > 0)
        dW1 = X.T @ dz1
        db1 = dz1.sum(axis=0)
        dW2 += self.reg * self.W2
        dW1 += self.reg * self.W1
        self.vW1 = self.mu * self.vW1 - self.lr * dW1
        self.vb1 = self.mu * self.vb1 - self.lr * db1
        self.vW2 = self.mu * self.vW2 - self.lr * dW2
        self.vb2 = self.mu * self.vb2 - self.lr * db2
        self.W1 += self.vW1
        self.b1 += self.vb1
        self.W2 += self.vW2
        self.b2 += self.vb2
        return self.loss(probs, y)

    def fit(self, X, y, epochs=100, batch_size=10):
        rng = np.random.default_rng(0)
        for epoch in range(epochs):
            order = rng.permutation(len(X))
            X_shuffled, y_shuffled = X[order], y[order]
            for start in range(0, len(X), batch_size):
                xb = X_shuffled[start:start + batch_size]
                yb = y_shuffled[start:start + batch_size]
                l = self.train_step(xb, yb)

if __name__ == "__main__":
    rng = np.random.default_rng(1)
    X = rng.normal(size=(40, 4))
    y = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0.3)
    net = MLP(4, 6, 3)
    net.fit(X, y)
