package writer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// modelPortal is a portal as far as one call's commands go. It carries requests out at
// once, in part, late or never, and shows what was made a little later.
type modelPortal struct {
	t       *rapid.T
	lag     func() time.Duration
	things  []*modelThing
	pending []modelRequest
}

type modelThing struct {
	id      int
	method  string // that made it
	outside string // external id
	closed  bool
	deleted bool // by a person
	visible time.Time
}

// modelRequest was given up by its sender and is carried out at its time.
type modelRequest struct {
	at       time.Time
	commands []bitrix.Command
}

// now carries out what became due.
func (p *modelPortal) now(now time.Time) {
	for i := 0; i < len(p.pending); i++ {
		if r := p.pending[i]; !r.at.After(now) {
			p.pending = slices.Delete(p.pending, i, i+1)
			i--
			p.carryOut(r.commands, true, r.at, nil)
		}
	}
}

// alive counts what exists under an external id or may still come to exist.
func (p *modelPortal) alive(outside string) (n int) {
	for _, t := range p.things {
		if t.outside == outside && !t.deleted {
			n++
		}
	}
	for _, r := range p.pending {
		for _, c := range r.commands {
			if makes(c) == outside {
				n++
			}
		}
	}
	return n
}

// knows says whether something was ever made under an external id.
func (p *modelPortal) knows(outside string) bool {
	return slices.ContainsFunc(p.things, func(t *modelThing) bool { return t.outside == outside })
}

// makes is the external id under which a command makes something, or "".
func makes(c bitrix.Command) string {
	switch c.Method {
	case "crm.item.add":
		return fmt.Sprint(within(c.Params, "fields", "originId"))
	case "tasks.task.add":
		return fmt.Sprint(within(c.Params, "fields", "XML_ID"))
	}
	return ""
}

func within(p bitrix.Params, path ...string) any {
	for _, param := range p {
		if param.Name != path[0] {
			continue
		}
		if inner, is := param.Value.(bitrix.Params); is && len(path) > 1 {
			return within(inner, path[1:]...)
		}
		return param.Value
	}
	return nil
}

// carryOut runs commands in their order. refuse may name a command (by its place) that
// ends in an error; with halt what is behind it does not run.
func (p *modelPortal) carryOut(commands []bitrix.Command, halt bool, now time.Time, refuse map[int]*bitrix.Error) bitrix.BatchAnswer {
	var answer bitrix.BatchAnswer
	results := map[string]int{}
	halted := false
	for i, c := range commands {
		o := bitrix.Outcome{Key: c.Key}
		switch failed := refuse[i]; {
		case halted:
			o.NotRun, o.Error = true, &bitrix.Error{Class: bitrix.NotRun, Reason: bitrix.ReasonHalted}
		case failed != nil:
			o.Error, halted = failed, halt
			if failed.Class == bitrix.Ambiguous && rapid.Bool().Draw(p.t, "ran all the same") {
				p.run(c, results, now)
			}
		default:
			if o.Result, o.Error = p.run(c, results, now); o.Error != nil {
				halted = halt
			}
		}
		answer.Outcomes = append(answer.Outcomes, o)
	}
	return answer
}

func (p *modelPortal) run(c bitrix.Command, results map[string]int, now time.Time) (json.RawMessage, *bitrix.Error) {
	answer := func(format string, args ...any) (json.RawMessage, *bitrix.Error) {
		return json.RawMessage(fmt.Sprintf(format, args...)), nil
	}
	switch c.Method {
	case "crm.item.add", "tasks.task.add":
		t := &modelThing{id: 1 + len(p.things), method: c.Method, outside: makes(c), visible: now.Add(p.lag())}
		p.things = append(p.things, t)
		results[c.Key] = t.id
		return answer(`{"item":{"id":%d},"task":{"id":"%d"}}`, t.id, t.id)
	case "crm.item.list", "tasks.task.list":
		wanted := fmt.Sprint(within(c.Params, "filter", "XML_ID"), within(c.Params, "filter", "@originId"))
		var rows []string
		for _, t := range p.things {
			if strings.Contains(wanted, t.outside) && !t.deleted && !t.visible.After(now) {
				rows = append(rows, fmt.Sprintf(`{"id":%d,"originId":%q,"xmlId":%q,"status":"%d"}`, t.id, t.outside, t.outside, t.status()))
			}
		}
		return answer(`{"items":[%s],"tasks":[%[1]s]}`, strings.Join(rows, ","))
	}
	t := p.target(c, results)
	switch {
	case t == nil || t.deleted:
		if c.Method == "tasks.task.get" {
			return answer(`[]`)
		}
		return nil, &bitrix.Error{Class: bitrix.Refused, Reason: bitrix.ReasonNotFound}
	case c.Method == "tasks.task.complete":
		t.closed = true
	}
	return answer(`{"item":{"id":%d},"task":{"id":"%d","status":"%d"}}`, t.id, t.id, t.status())
}

func (t *modelThing) status() int {
	if t.closed {
		return 5
	}
	return 2
}

// target is the thing that a command is about.
func (p *modelPortal) target(c bitrix.Command, results map[string]int) *modelThing {
	value := within(c.Params, "taskId")
	if value == nil {
		value = within(c.Params, "id")
	}
	id, given := value.(int)
	if !given {
		key, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprint(value), "$result["), "]")
		id = results[key]
	}
	if id < 1 || id > len(p.things) {
		return nil
	}
	return p.things[id-1]
}
