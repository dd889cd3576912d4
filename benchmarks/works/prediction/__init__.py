"""Prediction: of some rows by the 784-128-10 network, of many images by a convolutional one."""
