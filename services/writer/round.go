package writer

import (
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file takes a call's chain of requests apart into rounds, which can travel with
// the commands of other calls.

// Round is the part of a Send that needs nothing of the same request: it can travel with
// commands of other calls, where a failure stops nothing. The rest comes in a later
// round, when what it refers to is there.
func (c *Call) Round(m Move) Move {
	making := map[string]bool{}
	for _, command := range m.commands {
		making[command.ID] = m.acts[command.Role] == actCreate
	}
	var free []event.BitrixCommand
	for _, command := range m.commands {
		needs := func(id string) bool { return making[id] }
		if !slices.ContainsFunc(command.DependsOn, needs) && !slices.ContainsFunc(links(command), needs) {
			free = append(free, command)
		}
	}
	round := Move{Step: m.Step, commands: free, acts: m.acts}
	for _, request := range c.requests(free, m.acts) {
		if !strings.HasSuffix(request.Key, closing) || m.acts[roleOf(free, request.Key)] == actClose {
			round.Batch = append(round.Batch, request)
		}
	}
	return round
}

// links are the commands whose things a command is bound to.
func links(c event.BitrixCommand) (ids []string) {
	add := func(l *event.Link) {
		if l != nil && l.Command != "" {
			ids = append(ids, l.Command)
		}
	}
	if c.Entity != nil {
		add(c.Entity.Contact)
		add(c.Entity.Company)
	}
	if c.Task != nil {
		for _, l := range c.Task.Links {
			add(&l)
		}
	}
	return ids
}

// roleOf is the role of the command with this key in a batch, closed or made by it.
func roleOf(commands []event.BitrixCommand, key string) string {
	for _, c := range commands {
		if own := commandKey(c); key == own || key == own+closing {
			return c.Role
		}
	}
	return ""
}

// Only is the part of a round that left.
func (m Move) Only(sent []bitrix.Command) Move {
	part := Move{Step: m.Step, Batch: sent, acts: m.acts}
	for _, c := range m.commands {
		key := commandKey(c)
		if slices.ContainsFunc(sent, func(s bitrix.Command) bool { return s.Key == key || s.Key == key+closing }) {
			part.commands = append(part.commands, c)
		}
	}
	return part
}
