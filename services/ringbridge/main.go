// Command ringbridge turns finished phone calls of Ringostat into the right leads,
// deals, contacts and tasks of Bitrix24. One binary holds every service and the
// commands that look at a running one; `ringbridge --help` teaches the rest.
//
// Reading order: cli.go lists the commands, instance.go puts the services together.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/ringbridge/ringbridge/pkg/settings"
)

// Exit codes of every command (contract section 1).
const (
	exitDone    = 0
	exitNotWell = 1
	exitUsage   = 2
)

func main() { os.Exit(runCLI(os.Args[1:], os.Stdout, os.Stderr)) }

// notWell is the answer to a question whose answer is bad news.
type notWell struct{ error }

// Unwrap implements what [errors.As] asks.
func (n notWell) Unwrap() error { return n.error }

// exitCode prints an error for a person and says what the process returns.
func exitCode(err error, stderr io.Writer) int {
	if err == nil {
		return exitDone
	}
	if problems := (settings.Problems{}); errors.As(err, &problems) {
		fmt.Fprintln(stderr, err) // each line begins with file:line, as editors like it
	} else {
		fmt.Fprintln(stderr, "ringbridge: "+err.Error())
	}
	if bad := (notWell{}); errors.As(err, &bad) {
		return exitNotWell
	}
	return exitUsage
}
