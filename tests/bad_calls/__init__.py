"""Wrong calls, with the error each must give: data, settings and calls in the wrong order."""
