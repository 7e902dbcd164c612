package event

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// This file says each event in words, for people who follow a call.

func (p *CallReceived) String() string {
	return fmt.Sprintf("a %s request came in through the %s (%d bytes)", p.Method, p.Source, len(p.Body)+len(p.Query))
}

func (p *CallClassified) String() string {
	c := p.Call
	client := ", client " + orNone(Masked(c.Client))
	if c.Direction == Internal {
		client = "" // colleagues
	}
	if !c.Final {
		return fmt.Sprintf("the call goes on (%s)%s", c.Event, client)
	}
	who := "nobody"
	switch {
	case c.Employee != nil:
		who = withoutNumbers(c.Employee.Name)
	case c.AnsweredOn != "":
		who = "a line of no employee"
	}
	note := ""
	if !p.Changed {
		note = "; nothing new"
	}
	status := ""
	if c.Status != "" {
		status = " (" + c.Status + ")"
	}
	return fmt.Sprintf("%s call, %s%s%s, on the call: %s%s", c.Direction, c.Outcome, status, client, who, note)
}

func (p *CallResolved) String() string {
	c := p.Client
	s := "the CRM was not asked"
	switch {
	case c.Open != nil:
		s = fmt.Sprintf("the client has an open %s %d, responsible user %d", c.Open.Kind, c.Open.ID, c.Owner)
	case c.Contact != nil:
		s = fmt.Sprintf("the client is contact %d with nothing open, responsible user %d", c.Contact.ID, c.Owner)
	case c.Company != nil:
		s = fmt.Sprintf("the client is company %d with nothing open, responsible user %d", c.Company.ID, c.Owner)
	case c.State == "new":
		s = "the CRM does not know the client"
	case c.State == "anonymous":
		s = "the client's number is hidden"
	}
	if p.Amends {
		s += "; this adds to what was decided before"
	}
	return s
}

func (p *BitrixCommand) String() string {
	if p.Kind == KindNothing {
		return fmt.Sprintf("rule %s wants nothing done", p.Rule)
	}
	return fmt.Sprintf("rule %s wants %s (%d of %d)", p.Rule, p.Role, p.Index, p.Of)
}

func (p *BitrixOutcome) String() string {
	s := fmt.Sprintf("%s: %s", p.Role, strings.ReplaceAll(string(p.State), "_", " "))
	if p.BitrixID != 0 {
		s += fmt.Sprintf(", %s %d", p.Kind, p.BitrixID)
	}
	if p.Error != "" {
		s += ": " + withoutNumbers(p.Error)
	}
	return s
}

func (p *CallParked) String() string {
	switch p.State {
	case ParkedRetried:
		return "tried again by hand"
	case ParkedDropped:
		return "dropped by hand: " + withoutNumbers(p.Why)
	}
	return fmt.Sprintf("parked at %s: %s", p.Step, withoutNumbers(p.Reason))
}

func (p *SettingsChanged) String() string {
	return fmt.Sprintf("settings revision %d by %s", p.Revision, withoutNumbers(p.By))
}

func (p *ReplayPlanned) String() string {
	return fmt.Sprintf("replay %s would change things: %d calls decided again with settings revision %d; %s", p.ID, p.Calls, p.Revision, counts(p.Totals))
}

func (p *ReplayApplied) String() string {
	return fmt.Sprintf("replay %s ended as %s: %d calls put right, %d left because more was known by then", p.ID, p.State, p.Applied, p.Skipped)
}

// counts tells how many rows there are of each kind.
func counts(totals map[string]int) string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(totals)) {
		parts = append(parts, fmt.Sprintf("%d %s", totals[kind], kind))
	}
	return strings.Join(parts, ", ")
}

func orNone(s string) string {
	if s == "" {
		return "hidden"
	}
	return s
}
