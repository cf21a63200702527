"""Methods that change the image and compare the scores."""
