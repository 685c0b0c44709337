"""A class of submissions: finding them, grading them on all cores, keeping what was found."""
