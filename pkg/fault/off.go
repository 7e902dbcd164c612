//go:build !faults

// Package fault lets tests break the program on purpose: end the process at a named
// point, or turn one right decision into a known wrong one. A zero in "0 lost, 0
// doubled" is worth as much as the tests' power to find a mistake, and this is how that
// power is measured.
//
// It is only there in a test binary built with the tag "faults"; without it, as here,
// both functions are empty and the compiler takes them out. Nothing but the tests of
// this house may set the tag. The names of the wrong variants stand in variants.go.
package fault

// Point is a place where the tests end the process. parts joined by "/" are its name.
func Point(parts ...string) {}

// Wrong says whether the wrong variant of that name is on.
func Wrong(string) bool { return false }
