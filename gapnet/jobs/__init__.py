"""One job each: train, evaluate, predict, score."""
