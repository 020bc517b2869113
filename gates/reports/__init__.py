"""One file per format; each renders a run."""
