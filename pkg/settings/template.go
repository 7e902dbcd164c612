package settings

import (
	_ "embed"
	"slices"
)

//go:embed template.yaml
var template []byte

// Template returns a commented configuration file to start from, as
// `ringbridge init` writes it. It is valid once the environment variables that
// it names are set, and its commented examples are valid too.
func Template() []byte { return slices.Clone(template) }
