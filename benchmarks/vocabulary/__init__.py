"""What a vocabulary changes: rare words, errors elsewhere and the cost; and how far to trust the words of an engine."""
