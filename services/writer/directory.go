package writer

import (
	"context"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// directoryAge is how long the portal's users and mode are taken for known. They are
// asked for again along with a client's look-up, at no extra request.
const directoryAge = 10 * time.Minute

// directoryPrefix marks the commands that ask for them: without an answer to these a
// call goes on all the same.
const directoryPrefix = "directory_"

// directory is what is remembered of a portal between look-ups. A portal that can't be
// asked leaves the last good answer standing.
type directory struct {
	mu           sync.Mutex
	at           time.Time
	people       map[int]event.Person
	withoutLeads bool
}

func (d *directory) stale(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return now.Sub(d.at) > directoryAge
}

// directoryCommands are shared by all look-ups that leave together.
func directoryCommands() []bitrix.Command {
	return []bitrix.Command{bitrix.Mode().As(directoryPrefix + "mode"), bitrix.Users(false, 0).As(directoryPrefix + "users")}
}

// directoryIfStale are the same where it is time to ask again.
func (d *desk) directoryIfStale() []bitrix.Command {
	if d.directory.stale(d.now()) {
		return directoryCommands()
	}
	return nil
}

// learnDirectory takes users and mode from an answer that has them, reading further
// pages of users where there are more.
func (d *desk) learnDirectory(ctx context.Context, q crm.Lookup, answer bitrix.BatchAnswer) error {
	mode, users := answer.Get(directoryPrefix+"mode"), answer.Get(directoryPrefix+"users")
	if mode.NotRun && users.NotRun {
		return nil
	}
	people := map[int]event.Person{}
	for users.Error == nil && users.Result != nil {
		page, err := bitrix.DecodeUsers(users.Result)
		if err != nil {
			return fmt.Errorf("read the portal's users: %w", err)
		}
		for _, u := range page {
			people[u.ID] = event.Person{Name: u.FullName(), Active: u.Active}
		}
		if users.Next == nil {
			break
		}
		next := fmt.Sprintf("%spage%d", directoryPrefix, *users.Next)
		more, _, err := d.read(ctx, q, &unit{commands: []bitrix.Command{bitrix.Users(false, *users.Next).As(next)}})
		if err != nil {
			return err
		}
		users = more.Get(next)
	}
	d.directory.mu.Lock()
	defer d.directory.mu.Unlock()
	d.directory.at = d.now()
	if users.Error != nil {
		d.log.Warn("the portal's users can't be read; tick the scope `user` in the webhook", zap.Error(users.Error))
	} else if len(people) > 0 {
		d.directory.people = people
	}
	if mode.Error == nil && mode.Result != nil {
		if leads, err := bitrix.DecodeMode(mode.Result); err == nil {
			d.directory.withoutLeads = !leads
		}
	}
	return nil
}
