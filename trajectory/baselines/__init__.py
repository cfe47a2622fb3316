"""What counting alone reaches: the baselines that every result of a model is compared with."""
