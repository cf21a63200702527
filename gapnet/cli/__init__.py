"""The command line: the only room that sees a DictConfig. Heavy imports come late."""
