"""Search of hyper-parameters with Optuna."""
