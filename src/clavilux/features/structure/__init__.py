"""Structure: sections, loops and the tracks of a mix."""
