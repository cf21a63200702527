"""Published networks as they are: a trunk and the classifier that the network already has."""
