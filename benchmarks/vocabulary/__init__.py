"""What a vocabulary changes: rare words, other errors and cost. Also, how often words are right by their confidence."""
