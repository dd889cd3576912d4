"""scikit-learn's neural networks with the import changed, and what they did not have.

``base.py`` says how an estimator is made of a network; read it first.
"""

from chainrule.estimators.mlp_classifier import MLPClassifier
from chainrule.estimators.mlp_regressor import MLPRegressor
from chainrule.estimators.network_classifier import NetworkClassifier
from chainrule.estimators.network_regressor import NetworkRegressor

__all__ = ["MLPClassifier", "MLPRegressor", "NetworkClassifier", "NetworkRegressor"]
