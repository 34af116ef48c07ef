"""Speaker turns where all voices are in one channel; `diarist` is the way in."""
