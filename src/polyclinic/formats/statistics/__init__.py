"""Files of statistics programs: values with labels, missing values of the user, and dates."""
