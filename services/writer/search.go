package writer

import (
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
)

// This file looks for what lost requests may have made, and takes it over.

// clockSkew is how far the portal's clock may be behind ours when tasks are searched
// from a moment on.
const clockSkew = time.Hour

// searches look for what lost requests may have made, by external id, and at tasks that
// would not be closed or changed.
func (c *Call) searches(commands []event.BitrixCommand, acts map[string]action) (batch []bitrix.Command) {
	for _, command := range commands {
		key, e := commandKey(command), c.Journal[command.Role]
		switch {
		case acts[command.Role] == actLook:
			batch = append(batch, bitrix.GetTask(e.BitrixID).As(key))
			continue
		case command.Task == nil:
			batch = append(batch, bitrix.FindByOrigin(kinds[command.Kind], originator, []string{command.ID}).As(key))
			continue
		}
		since := e.SentAt.Add(-clockSkew)
		// The filter by XML_ID is not documented; the one by what the task is bound to is.
		batch = append(batch, bitrix.FindTasksByXMLID(command.ID, since, 0).As(key))
		for _, l := range command.Task.Links {
			if link := resolveLink(l, c.Journal, c.Commands); link.ID != 0 {
				batch = append(batch, bitrix.FindTasksByBinding(bitrix.Binding{Kind: kinds[l.Kind], Link: link}, since, 0).As(key+bound))
				break
			}
		}
	}
	return batch
}

// bound marks the search for a task by what it is bound to.
const bound = "_bound"

func (c *Call) searched(m Move, answer bitrix.BatchAnswer, err *bitrix.Error) (later *bitrix.Error) {
	if err != nil {
		return err
	}
	for _, command := range m.commands {
		if m.acts[command.Role] == actLook {
			err = c.looked(command, answer.Get(commandKey(command)))
		} else {
			err = c.adopt(command, answer)
		}
		if err != nil {
			later = err
		}
	}
	return later
}

// looked decides about a task that the portal would not close or change: one that is
// gone is as it should be, and so is one that was to be closed and is, by a person or by
// an earlier try.
func (c *Call) looked(command event.BitrixCommand, o bitrix.Outcome) *bitrix.Error {
	var task bitrix.Task
	there, hidden := false, o.Error != nil && o.Error.Class == bitrix.Refused
	switch {
	case hidden: // it can't be seen, so it can't be closed
	case o.Error != nil:
		return o.Error
	default:
		var err error
		if task, there, err = bitrix.DecodeTask(o.Result); err != nil {
			return asError(err)
		}
	}
	e, wanted := c.Journal[command.Role], c.untouched[command.Role]
	delete(c.untouched, command.Role)
	switch {
	case hidden:
		e = c.refused(command, e, string(wanted.why.Reason), event.InEach(wanted.why.Human))
	case !there:
		e = gone(command, e)
	case wanted.act == actClose && task.Done():
		e = made(command, e, e.BitrixID, true)
	default:
		e = c.refused(command, e, string(wanted.why.Reason), event.InEach(wanted.why.Human))
	}
	c.Journal[command.Role] = e
	return nil
}

// adopt takes over what a search found, or frees the command to be sent again.
func (c *Call) adopt(command event.BitrixCommand, answer bitrix.BatchAnswer) *bitrix.Error {
	ids, closed, err := foundIDs(command, answer)
	if err != nil {
		return asError(err)
	}
	e := c.Journal[command.Role]
	if len(ids) == 0 {
		e.State = callfile.Planned
		c.Journal[command.Role] = e
		return nil
	}
	// Several can only come from outside our protocol; the lowest id is the oldest.
	e.Adopted = true
	c.Journal[command.Role] = made(command, e, slices.Min(ids), closed || fault.Wrong("adopted-as-closed"))
	c.found = append(c.found, command)
	return nil
}

func foundIDs(command event.BitrixCommand, answer bitrix.BatchAnswer) (ids []int, closed bool, err error) {
	key := commandKey(command)
	for _, o := range answer.Outcomes {
		if o.Key != key && o.Key != key+bound {
			continue
		}
		if o.Error != nil {
			return nil, false, o.Error
		}
		if command.Task == nil {
			items, err := bitrix.DecodeItems(kinds[command.Kind], o.Result)
			if err != nil {
				return nil, false, err
			}
			for _, i := range items {
				if i.OriginID == command.ID || fault.Wrong("adopted-unchecked") {
					ids = append(ids, i.ID)
				}
			}
			continue
		}
		tasks, err := bitrix.DecodeTasks(o.Result, command.ID)
		if err != nil {
			return nil, false, err
		}
		for _, t := range tasks {
			ids, closed = append(ids, t.ID), closed || t.Done()
		}
	}
	return ids, closed, nil
}
