"""Network Dissection (Bau et al., CVPR 2017): which concepts the units of a network detect."""
