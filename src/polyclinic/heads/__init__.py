"""What is asked: one file per kind of question. The word in the study file is the file name."""
