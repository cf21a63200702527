"""Class activation maps, and their generalisations that use gradients."""
