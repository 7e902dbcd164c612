package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/services/writer"
)

// fakePortal is a portal as far as the commands of these histories go.
type fakePortal struct {
	world    *world
	things   []*thing
	ever     map[string]int // by external id, whether it still exists or not
	failNext *bitrix.Error
}

type thing struct {
	id                 int
	method, external   string
	phone              string
	responsible        int
	closed, wantClosed bool
	visible            time.Time
}

// found is what a look-up shows now.
func (p *fakePortal) found(phone string) crm.Found {
	var f crm.Found
	for _, t := range p.things {
		if t.method == "lead" && t.phone == phone && !p.world.now.Before(t.visible) {
			f.Open = append(f.Open, crm.Item{Ref: event.Ref{Kind: "lead", ID: t.id, Responsible: t.responsible}, Active: p.world.begun})
		}
	}
	return f
}

// run carries out a move, at most so many of its commands, and answers.
func (p *fakePortal) run(m writer.Move, most int) bitrix.BatchAnswer {
	var a bitrix.BatchAnswer
	results := map[string]int{}
	stopped := false
	for i, c := range m.Batch {
		o := bitrix.Outcome{Key: c.Key}
		switch {
		case stopped || i >= most:
			o.NotRun, o.Error = true, &bitrix.Error{Class: bitrix.NotRun, Reason: bitrix.ReasonHalted}
		case p.failNext != nil && i == len(m.Batch)/2:
			o.Error, p.failNext, stopped = p.failNext, nil, m.Halt
		default:
			o.Result = p.command(c, results)
		}
		a.Outcomes = append(a.Outcomes, o)
	}
	p.failNext = nil
	return a
}

func (p *fakePortal) command(c bitrix.Command, results map[string]int) json.RawMessage {
	now := p.world.now
	text := func(v any) string { s, _ := v.(string); return s }
	switch c.Method {
	case "crm.item.add", "tasks.task.add":
		fields, _ := get(c.Params, "fields").(bitrix.Params)
		t := &thing{id: len(p.things) + 1, visible: now.Add(p.world.within(blindness))}
		p.things = append(p.things, t)
		results[c.Key] = t.id
		if c.Method == "crm.item.add" {
			t.method, t.external = "lead", text(get(fields, "originId"))
			t.responsible, _ = get(fields, "assignedById").(int)
			if fm, ok := get(fields, "fm").([]bitrix.Params); ok {
				t.phone = text(get(fm[0], "value"))
			}
			p.ever[t.external]++
			return raw(`{"item":{"id":%d}}`, t.id)
		}
		t.method, t.external = "task", text(get(fields, "XML_ID"))
		t.wantClosed = !strings.HasPrefix(text(get(fields, "TITLE")), "Contact") && !strings.HasPrefix(text(get(fields, "TITLE")), "Check")
		p.ever[t.external]++
		return raw(`{"task":{"id":"%d"}}`, t.id)
	case "tasks.task.complete", "tasks.task.get", "tasks.task.update":
		id, given := get(c.Params, "taskId").(int)
		if !given {
			key, _, _ := strings.Cut(strings.TrimPrefix(fmt.Sprint(get(c.Params, "taskId")), "$result["), "]")
			id = results[key]
		}
		t := p.things[id-1]
		t.closed = t.closed || c.Method == "tasks.task.complete"
		return raw(`{"task":{"id":"%d","status":"%d"}}`, t.id, map[bool]int{false: 2, true: 5}[t.closed])
	case "crm.item.update":
		id, _ := get(c.Params, "id").(int)
		return raw(`{"item":{"id":%d}}`, id)
	case "crm.item.list", "tasks.task.list":
		filter, _ := get(c.Params, "filter").(bitrix.Params)
		wanted := text(get(filter, "XML_ID"))
		if ids, ok := get(filter, "@originId").([]string); ok {
			wanted = ids[0]
		}
		var rows []string
		for _, t := range p.things {
			if t.external == wanted && !now.Before(t.visible) {
				rows = append(rows, fmt.Sprintf(`{"id":"%d","originId":%q,"xmlId":%q,"status":"%d"}`, t.id, t.external, t.external, map[bool]int{false: 2, true: 5}[t.closed]))
			}
		}
		return raw(`{"items":[%s],"tasks":[%[1]s]}`, strings.Join(rows, ","))
	}
	panic("the simulated portal does not know " + c.Method)
}

func get(p bitrix.Params, name string) any {
	for _, param := range p {
		if param.Name == name {
			return param.Value
		}
	}
	return nil
}

func raw(format string, args ...any) json.RawMessage {
	return json.RawMessage(fmt.Sprintf(format, args...))
}
