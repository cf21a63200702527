"""Files, processes, signals and the terminal: what gapnet asks of the operating system."""
