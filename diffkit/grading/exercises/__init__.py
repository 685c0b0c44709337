"""What a course team writes: exercises, what their inputs are drawn from, the styles of an answer."""
