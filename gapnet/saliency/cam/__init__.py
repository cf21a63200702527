"""Class activation maps, and their generalisations by gradients."""
