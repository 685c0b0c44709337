"""The wall between the grader and a submission: processes, sandboxes, and what comes back."""
