"""Data sets whose images have no classes."""


class WithoutClasses:
    """Base of data sets without classes; it stands before the reader."""

    @property
    def classes(self) -> list[str]:
        """Return no classes."""
        return []

    @property
    def class_names(self) -> list[str]:
        """Return no names of classes."""
        return []
