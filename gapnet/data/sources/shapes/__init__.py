"""The stand-in data set, drawn on demand."""
