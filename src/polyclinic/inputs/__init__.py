"""What comes in: one file per kind of column. The word in the study file is the file name."""
