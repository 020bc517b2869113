"""gates.toml: `model` says what may stand in it, `load` reads it with the profiles it names, `mistakes` are told."""
