"""What the pictures show: the numbers of their lines, their words, and what they refuse."""
