"""Qualification: what a lead stated, with evidence, and how good a lead it is."""
