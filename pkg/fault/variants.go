package fault

// Variants are the deliberately wrong versions of the program, and what each does
// wrong. Every one must make at least one test fail; `make variants` shows it.
var Variants = map[string]string{}
