"""What an expression stands for at run time, as far as the text of the program says."""
