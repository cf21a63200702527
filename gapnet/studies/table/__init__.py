"""Tables of the paper, our results beside the published ones."""
