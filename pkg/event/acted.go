package event

import (
	"fmt"
	"strings"
)

// NoProject stands in the envelope of an event that is about the program as a whole:
// an envelope always names a project, as it is part of the broker's subject.
const NoProject = "-"

// Door is the way that a person came in by.
type Door string

// The doors.
const (
	DoorAPI     Door = "api"
	DoorConsole Door = "console"
)

// ConsoleActed is a line of the audit log: what a person changed, or a sign-in. It
// never holds a secret.
type ConsoleActed struct {
	// Project is what it was about; empty for the program as a whole.
	Project string `json:"project,omitempty"`
	// Person is a name of the console's people, or "token": whoever holds the console's
	// token. It is empty where a sign-in failed under a name that nobody has.
	Person string `json:"person,omitempty"`
	Role   string `json:"role,omitempty"`
	Door   Door   `json:"door"`
	// Action is the address as the API describes it: PUT /api/v1/people/{name}.
	Action string `json:"action"`
	// Target is what the address named beside the project: a plan, a parked thing.
	Target string `json:"target,omitempty"`
	// Code is the HTTP status that it was answered with.
	Code    int               `json:"code"`
	Details map[string]string `json:"details,omitempty"`
}

// Type says which event it is.
func (*ConsoleActed) Type() Type { return TypeConsoleActed }

func (p *ConsoleActed) about() (string, string) {
	if p.Project == "" {
		return NoProject, ""
	}
	return p.Project, ""
}

func (p *ConsoleActed) String() string {
	who := p.Person
	if who == "" {
		who = "somebody unknown"
	}
	what := strings.TrimSpace(p.Action + " " + p.Target)
	return withoutNumbers(fmt.Sprintf("%s, through the %s: %s, answered ", who, p.Door, what)) + fmt.Sprint(p.Code)
}
