"""The state machine: joins the stages, which know nothing of each other, to the database."""
