"""Speech: segments of audio in, words out. Engines behind one protocol, in processes of their own."""
