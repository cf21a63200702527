"""The command line: the only room that sees a DictConfig. What is heavy is imported when it is needed."""
