"""Learning from what people confirmed: what is learned from, and the folders of models."""
