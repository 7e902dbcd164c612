package writer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

// lookup answers one question of the resolver: two requests, or one where the number
// is unknown. Reading again is harmless, so faults are repeated until the time is up.
func (d *desk) lookup(ctx context.Context, q crm.Lookup) (crm.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if q.Replay {
		ctx = context.WithValue(ctx, priorityKey{}, priorityBacklog)
	}
	select {
	case <-ctx.Done():
		return crm.Found{}, ctx.Err()
	case <-time.After(d.visible.Sub(d.now())):
	}
	var found crm.Found
	ids := map[bitrix.Kind][]int{}
	if len(q.Spellings) > 0 || d.directory.stale(d.now()) {
		commands := d.directoryCommands()
		for _, kind := range []bitrix.Kind{bitrix.Contact, bitrix.Company, bitrix.Lead} {
			if len(q.Spellings) > 0 {
				commands = append(commands, bitrix.FindByPhone(kind, q.Spellings).As("find_"+strings.ToLower(string(kind))))
			}
		}
		answer, refused, err := d.read(ctx, q.Since, commands)
		if err != nil || refused != "" {
			return crm.Found{Refused: refused}, err
		}
		if err := d.learnDirectory(ctx, q.Since, answer); err != nil {
			return found, err
		}
		for _, kind := range []bitrix.Kind{bitrix.Contact, bitrix.Company, bitrix.Lead} {
			if o := answer.Get("find_" + strings.ToLower(string(kind))); o.Result != nil {
				if ids[kind], err = bitrix.DecodeFound(kind, o.Result); err != nil {
					return found, err
				}
			}
		}
	}
	d.directory.mu.Lock()
	found.People, found.WithoutLeads = maps.Clone(d.directory.people), d.directory.withoutLeads
	d.directory.mu.Unlock()
	if len(q.Spellings) == 0 {
		return found, nil
	}
	for _, made := range d.memory.of(q.Spellings[0], d.now()) {
		if kind := kinds[event.Kind(made.Kind)]; !slices.Contains(ids[kind], made.ID) {
			ids[kind] = append(ids[kind], made.ID)
		}
	}
	if len(ids[bitrix.Contact])+len(ids[bitrix.Company])+len(ids[bitrix.Lead])+len(ids[bitrix.Deal]) == 0 {
		return found, nil
	}
	refused, err := d.details(ctx, q.Since, ids, &found)
	found.Refused = refused
	if err != nil || refused != "" {
		return found, err
	}
	d.remember(q.Spellings[0], &found)
	return found, nil
}

// details asks who the found contacts and companies are and what is open for them.
func (d *desk) details(ctx context.Context, since time.Time, ids map[bitrix.Kind][]int, found *crm.Found) (refused string, err error) {
	contacts, companies, leads, deals := first50(ids[bitrix.Contact]), first50(ids[bitrix.Company]), first50(ids[bitrix.Lead]), first50(ids[bitrix.Deal])
	var commands []bitrix.Command
	if len(contacts) > 0 {
		commands = append(commands, bitrix.ListItems(bitrix.Contact, contacts).As("contacts"))
	}
	if len(companies) > 0 {
		commands = append(commands, bitrix.ListItems(bitrix.Company, companies).As("companies"))
	}
	commands = append(commands, bitrix.ListOpenLeads(bitrix.By{IDs: leads, ContactIDs: contacts, CompanyIDs: companies}).As("leads"))
	if len(contacts)+len(companies)+len(deals) > 0 {
		commands = append(commands, bitrix.ListOpenDeals(bitrix.By{IDs: deals, ContactIDs: contacts, CompanyIDs: companies}).As("deals"))
	}
	answer, refused, err := d.read(ctx, since, commands)
	if err != nil || refused != "" {
		return refused, err
	}
	lists := []struct {
		key  string
		kind bitrix.Kind
		into *[]crm.Item
		keep func(bitrix.Item) bool
	}{
		{"contacts", bitrix.Contact, &found.Contacts, func(i bitrix.Item) bool { return slices.Contains(contacts, i.ID) }},
		{"companies", bitrix.Company, &found.Companies, func(i bitrix.Item) bool { return slices.Contains(companies, i.ID) && !i.OwnCompany }},
		// A portal ignores a filter that it does not know, so what came back is checked.
		{"leads", bitrix.Lead, &found.Open, func(i bitrix.Item) bool { return i.Open() && linkedTo(i, leads, contacts, companies) }},
		{"deals", bitrix.Deal, &found.Open, func(i bitrix.Item) bool { return i.Open() && linkedTo(i, deals, contacts, companies) }},
	}
	for _, l := range lists {
		o := answer.Get(l.key)
		if o.Result == nil {
			continue
		}
		items, err := bitrix.DecodeItems(l.kind, o.Result)
		if err != nil {
			return "", err
		}
		for _, i := range items {
			if l.keep(i) {
				*l.into = append(*l.into, toItem(i))
			}
		}
	}
	return "", nil
}

func linkedTo(i bitrix.Item, ids, contacts, companies []int) bool {
	return slices.Contains(ids, i.ID) || i.ContactID != 0 && slices.Contains(contacts, i.ContactID) ||
		i.CompanyID != 0 && slices.Contains(companies, i.CompanyID)
}

func toItem(i bitrix.Item) crm.Item {
	title := i.Title
	if title == "" {
		title = strings.TrimSpace(i.Name + " " + i.LastName)
	}
	active := i.LastActivity
	if active.IsZero() {
		active = i.Updated
	}
	return crm.Item{
		Ref:     event.Ref{Kind: i.Kind.String(), ID: i.ID, Title: title, Responsible: i.ResponsibleID},
		Contact: i.ContactID, Company: i.CompanyID, Active: active,
	}
}

// first50 is what one list can ask for: a number on more entities than that is a
// switchboard's, and the lowest ids are as good as any.
func first50(ids []int) []int { return ids[:min(len(ids), 50)] }

// read sends reading commands until the portal answers them. refused is set, in the
// project's language, when it never will.
func (d *desk) read(ctx context.Context, since time.Time, commands []bitrix.Command) (answer bitrix.BatchAnswer, refused string, err error) {
	return d.readAs(ctx, priorityOf(ctx), since, commands)
}

type priorityKey struct{}

// priorityOf is what a question's requests wait as.
func priorityOf(ctx context.Context) int {
	priority, _ := ctx.Value(priorityKey{}).(int) // live where nothing else is said
	return priority
}

// repeat sends a reading unit until the portal answers it.
func (d *desk) repeat(ctx context.Context, u *unit) (answer bitrix.BatchAnswer, refused string, err error) {
	for {
		answer, err = d.gateway.send(ctx, u)
		if ctx.Err() != nil {
			return answer, "", ctx.Err()
		}
		if err == nil {
			if err = firstError(answer); err == nil {
				return answer, "", nil
			}
		}
		e := asError(err)
		if e.Class == bitrix.Refused {
			return answer, e.Human(d.locale()), nil
		}
		d.log.Info("a look-up is repeated", zap.Error(e))
		if err := pause(ctx, e, d.now()); err != nil {
			return answer, "", err
		}
	}
}

// firstError is the first command's error that matters. Users that may not be read
// are no reason to leave a call lying.
func firstError(a bitrix.BatchAnswer) error {
	for _, o := range a.Outcomes {
		if o.Error != nil && !strings.HasPrefix(o.Key, directoryPrefix) {
			return o.Error
		}
	}
	return nil
}

func (d *desk) directoryCommands() []bitrix.Command {
	if !d.directory.stale(d.now()) {
		return nil
	}
	return []bitrix.Command{bitrix.Mode().As(directoryPrefix + "mode"), bitrix.Users(false, 0).As(directoryPrefix + "users")}
}

// learnDirectory takes users and mode from an answer that has them, reading further
// pages of users where there are more.
func (d *desk) learnDirectory(ctx context.Context, since time.Time, answer bitrix.BatchAnswer) error {
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
		more, _, err := d.read(ctx, since, []bitrix.Command{bitrix.Users(false, *users.Next).As(directoryPrefix + "users")})
		if err != nil {
			return err
		}
		users = more.Get(directoryPrefix + "users")
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

// memory keeps what was made for a number within the last minutes: the portal's search
// may not show it yet, and the next call must not make it again.
type memory struct {
	mu sync.Mutex
	by map[string][]remembered
}

type remembered struct {
	event.Ref
	at time.Time
}

const memoryAge = 10 * time.Minute

func (m *memory) add(lane string, ref event.Ref, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.by, func(_ string, list []remembered) bool { return now.Sub(list[len(list)-1].at) > memoryAge })
	m.by[lane] = append(m.by[lane], remembered{ref, now})
}

func (m *memory) of(lane string, now time.Time) []remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.by[lane]), func(r remembered) bool { return now.Sub(r.at) > memoryAge })
}

// remember adds what this program made so recently that a list may not show it.
func (d *desk) remember(lane string, found *crm.Found) {
	for _, r := range d.memory.of(lane, d.now()) {
		if d.now().Sub(r.at) > d.patience.settle {
			continue
		}
		list := &found.Open
		if r.Kind == "contact" {
			list = &found.Contacts
		}
		if !slices.ContainsFunc(*list, func(i crm.Item) bool { return i.Kind == r.Kind && i.ID == r.ID }) {
			*list = append(*list, crm.Item{Ref: r.Ref, Active: r.at})
		}
	}
}

// pause waits as long as an error asks for before the next try.
func pause(ctx context.Context, e *bitrix.Error, now time.Time) error {
	wait := time.Second
	if !e.RetryAt.IsZero() {
		wait = max(wait, e.RetryAt.Sub(now))
	}
	if e.Reason == bitrix.ReasonQueryLimit {
		wait = 0 // the bucket knows
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(wait):
		return nil
	}
}

func asError(err error) *bitrix.Error {
	if e := (*bitrix.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &bitrix.Error{Class: bitrix.ClassOf(err), Reason: bitrix.ReasonUnknown, Description: err.Error()}
}
