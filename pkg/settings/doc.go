// Package settings is what a person decided about this installation: the
// configuration file, the block of each project, and the secrets in them.
//
// It reads the file (or one project's block as JSON, from the API), checks
// every promise the documentation makes about it, and either hands over values
// that the rest of the program may trust or a list of all [Problems] at once,
// each with line, key, what is wrong and what a right value looks like.
//
// It must never print a secret or a text that came from the environment, never
// talk to a portal (whether the settings work there is a question for `check`),
// and never guess: what is not understood refuses to start.
//
// Start reading at [Config] and [Project] (the shape), then read.go and
// readproject.go (one function per block of the file). tree.go and its two
// sources yaml.go and json.go are below that: values with their positions.
package settings
