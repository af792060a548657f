"""What makes, checks and cleans data sets before anything is trained."""
