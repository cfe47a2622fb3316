"""Raw exports of a made-up shop in the shape and dirt of real systems."""
