package writer

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// lookup answers one question of the resolver: two requests, or one where the number
// is unknown. Reading again is harmless, so faults are repeated until the time is up.
func (d *desk) lookup(ctx context.Context, q crm.Lookup) (crm.Found, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	if err := sleep(ctx, d.visible.Sub(d.now())); err != nil {
		return crm.Found{}, err
	}
	var found crm.Found
	ids, refused, err := d.find(ctx, q)
	if err != nil || refused != nil {
		return crm.Found{Refused: refused.In(d.locale()), RefusedIn: refused}, err
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
	asked := d.now()
	refused, err = d.details(ctx, q, ids, &found)
	found.Refused, found.RefusedIn = refused.In(d.locale()), refused
	if err != nil || refused != nil {
		return found, err
	}
	d.remember(q.Spellings[0], &found, asked)
	return found, nil
}

// phoned are the kinds that have phones.
var phoned = []bitrix.Kind{bitrix.Contact, bitrix.Company, bitrix.Lead}

// find asks who has the number. Numbers of several clients are asked for together where
// many wait; the kinds in which somebody has one of them are then asked for the single
// number, and so are all where an answer was too long to be whole.
func (d *desk) find(ctx context.Context, q crm.Lookup) (ids map[bitrix.Kind][]int, refused event.Texts, err error) {
	ids = map[bitrix.Kind][]int{}
	if len(q.Spellings) == 0 && !d.directory.stale(d.now()) {
		return ids, nil, nil
	}
	ask := &finding{spellings: q.Spellings}
	for {
		u := &unit{find: ask, shared: d.directoryIfStale}
		if len(q.Spellings) == 0 {
			u.shared = directoryCommands
		}
		answer, refused, err := d.read(ctx, q, u)
		if err != nil || refused != nil {
			return nil, refused, err
		}
		if err := d.learnDirectory(ctx, q, answer); err != nil {
			return nil, nil, err
		}
		if len(q.Spellings) == 0 {
			return ids, nil, nil
		}
		again, err := found(ask, u.together, answer, ids)
		if err != nil || len(again) == 0 {
			return ids, nil, err
		}
		ask = &finding{spellings: q.Spellings, kinds: again, single: true}
	}
}

// found takes the ids from an answer, and says of which kinds they are to be asked for
// once more.
func found(ask *finding, together bool, answer bitrix.BatchAnswer, ids map[bitrix.Kind][]int) (again []bitrix.Kind, err error) {
	for _, kind := range ask.kinds {
		if ids[kind], err = bitrix.DecodeFound(kind, answer.Get(kind.String()).Result); err != nil {
			return nil, err
		}
	}
	if len(ask.kinds) > 0 {
		return nil, nil
	}
	for _, kind := range phoned {
		if ids[kind], err = bitrix.DecodeFound(kind, answer.Get("any").Result); err != nil {
			return nil, err
		}
		if len(ids[kind]) >= bitrix.MaxFound {
			return phoned, nil
		}
		if together && len(ids[kind]) > 0 {
			again = append(again, kind)
		}
	}
	return again, nil
}

// details asks who the found contacts and companies are and what is open for them.
func (d *desk) details(ctx context.Context, q crm.Lookup, ids map[bitrix.Kind][]int, found *crm.Found) (refused event.Texts, err error) {
	contacts, companies, leads, deals := first50(ids[bitrix.Contact]), first50(ids[bitrix.Company]), first50(ids[bitrix.Lead]), first50(ids[bitrix.Deal])
	ask := &listing{contacts: contacts, companies: companies, leads: leads, deals: deals}
	var answer bitrix.BatchAnswer
	for {
		u := &unit{list: ask}
		if answer, refused, err = d.read(ctx, q, u); err != nil || refused != nil {
			return refused, err
		}
		if !u.together || !cut(answer) {
			break
		}
		u.alone()
		ask = u.list
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
			return nil, err
		}
		for _, i := range items {
			if l.keep(i) {
				*l.into = append(*l.into, toItem(i))
			}
		}
	}
	return nil, nil
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

// cut says that a list did not fit on its page: whose things are missing is not said.
func cut(a bitrix.BatchAnswer) bool {
	return slices.ContainsFunc(a.Outcomes, func(o bitrix.Outcome) bool { return o.Next != nil })
}

// read sends a reading unit until the portal answers it. refused is set, in each
// language, when it never will.
func (d *desk) read(ctx context.Context, q crm.Lookup, u *unit) (answer bitrix.BatchAnswer, refused event.Texts, err error) {
	if len(q.Spellings) > 0 {
		u.client = q.Spellings[0]
	}
	u.what, u.since, u.priority = "look-up", q.Since, priorityOf(q.Since, d.now())
	if q.Replay {
		u.priority = priorityBacklog
	}
	for lost := 0; ; {
		answer, err = d.gateway.send(ctx, u)
		if ctx.Err() != nil {
			return answer, nil, ctx.Err()
		}
		if err == nil {
			if err = firstError(answer); err == nil {
				return answer, nil, nil
			}
		}
		e := asError(err)
		switch {
		case e.Class == bitrix.Refused && u.together:
			u.alone() // it may be another's number that the portal can't bear
			continue
		case e.Class == bitrix.Refused:
			return answer, event.InEach(e.Human), nil
		case suspicious(e):
			lost++
			u.company = smaller(lost)
		}
		d.log.Info("a look-up is repeated", zap.Error(e))
		if err := pause(ctx, e, d.now()); err != nil {
			return answer, nil, err
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

// pause waits as long as an error asks for before the next try.
func pause(ctx context.Context, e *bitrix.Error, now time.Time) error {
	wait := time.Second
	if !e.RetryAt.IsZero() {
		wait = max(wait, e.RetryAt.Sub(now))
	}
	if e.Reason == bitrix.ReasonQueryLimit {
		wait = 0 // the bucket knows
	}
	return sleep(ctx, wait)
}

// sleep waits, unless ctx ends before.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func asError(err error) *bitrix.Error {
	if e := (*bitrix.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &bitrix.Error{Class: bitrix.ClassOf(err), Reason: bitrix.ReasonUnknown, Description: err.Error()}
}
