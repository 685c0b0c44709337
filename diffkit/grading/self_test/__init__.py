"""Is an assignment gradeable? Its reference must pass, and known wrong answers must fail."""
