"""gates.toml: `model` says what may stand in it, `load` reads it together with the profile it names."""
