"""What telephones and exchanges sound like when nobody speaks."""
