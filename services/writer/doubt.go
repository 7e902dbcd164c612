package writer

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// clockSkew is how far the portal's clock may be behind ours when tasks are searched
// from a moment on.
const clockSkew = time.Hour

// search looks for what lost requests may have made, by external id. It runs only
// after the portal can no longer be carrying them out.
func (j *job) search(ctx context.Context, commands []event.BitrixCommand) error {
	var batch []bitrix.Command
	for _, c := range commands {
		key := commandKey(c)
		if c.Task == nil {
			batch = append(batch, bitrix.FindByOrigin(kinds[c.Kind], originator, []string{c.ID}).As(key))
			continue
		}
		since := j.journal[c.Role].SentAt.Add(-clockSkew)
		// The filter by XML_ID is not documented; the one by what the task is bound to is.
		batch = append(batch, bitrix.FindTasksByXMLID(c.ID, since, 0).As(key))
		for _, l := range c.Task.Links {
			if link := resolveLink(l, j.journal, j.commands); link.ID != 0 {
				batch = append(batch, bitrix.FindTasksByBinding(bitrix.Binding{Kind: kinds[l.Kind], Link: link}, since, 0).As(key+"_bound"))
				break
			}
		}
	}
	answer, err := j.gateway.send(ctx, &unit{commands: batch, priority: prioritySearch, since: j.since})
	if err != nil {
		return pause(ctx, asError(err), j.now())
	}
	for _, c := range commands {
		ids, closed, err := j.foundIDs(c, answer)
		if err != nil {
			if err := pause(ctx, asError(err), j.now()); err != nil {
				return err
			}
			continue
		}
		j.adopt(c, ids, closed)
	}
	return j.keep(ctx)
}

func (j *job) foundIDs(c event.BitrixCommand, answer bitrix.BatchAnswer) (ids []int, closed bool, err error) {
	key := commandKey(c)
	if c.Task == nil {
		o := answer.Get(key)
		if o.Error != nil {
			return nil, false, o.Error
		}
		items, err := bitrix.DecodeItems(kinds[c.Kind], o.Result)
		for _, i := range items {
			if i.OriginID == c.ID {
				ids = append(ids, i.ID)
			}
		}
		return ids, false, err
	}
	for _, o := range answer.Outcomes {
		if o.Key != key && o.Key != key+"_bound" {
			continue
		}
		if o.Error != nil {
			return nil, false, o.Error
		}
		tasks, err := bitrix.DecodeTasks(o.Result, c.ID)
		if err != nil {
			return nil, false, err
		}
		for _, t := range tasks {
			if !slices.Contains(ids, t.ID) {
				ids, closed = append(ids, t.ID), closed || t.Done()
			}
		}
	}
	return ids, closed, nil
}

// adopt takes over what a search found, or frees the command to be sent again.
func (j *job) adopt(c event.BitrixCommand, ids []int, closed bool) {
	e := j.journal[c.Role]
	if len(ids) == 0 {
		e.State = callfile.Planned
		j.journal[c.Role] = e
		return
	}
	slices.Sort(ids)
	if len(ids) > 1 {
		j.log.Error("the portal holds one thing several times; the first is used, the others need a person",
			zap.String("call", j.call), zap.String("role", c.Role), zap.Ints("ids", ids))
	}
	e.Adopted = true
	j.journal[c.Role] = made(c, e, ids[0], closed)
	j.remembered(c, ids[0])
}

// reportDoubt says once that commands are in doubt, so that people who look see it.
func (j *job) reportDoubt(ctx context.Context) {
	for _, c := range j.commands {
		e := j.journal[c.Role]
		if (e.State != callfile.InDoubt && e.State != callfile.Intent) || j.doubted[c.Role] {
			continue
		}
		if err := j.tell(ctx, c, outcome(c, j.journal, j.before)); err != nil {
			j.log.Warn("a doubt could not be reported", zap.String("call", j.call), zap.Error(err))
			continue
		}
		j.doubted[c.Role] = true
	}
	j.countDoubt(j.call, true)
}
