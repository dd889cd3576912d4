"""Wrong uses of the estimators, with the error each must give."""
