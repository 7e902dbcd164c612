package check

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// registerCall makes a call record. Called without parameters it makes none: the portal
// refuses the missing employee, or refuses webhooks before it looks at them.
// https://apidocs.bitrix24.com/api-reference/telephony/telephony-external-call-register.html
const registerCall = "telephony.externalcall.register"

// strayID is an external id that no task has.
const strayID = "ringbridge-check-nobody-has-this"

// maxUserRequests bounds how much is asked to read all employees: 49 pages of 50 each.
const maxUserRequests = 4

var errTooMany = &bitrix.Error{Class: bitrix.Ambiguous, Reason: bitrix.ReasonUnreadable, Method: "user.get"}

// got is what the portal told, or why it did not.
type got[T any] struct {
	value T
	err   error
}

// answers is everything the portal was asked, as it came back.
type answers struct {
	moved      string // the host the portal answers from, if it isn't the one in the settings
	owner      got[*bitrix.User]
	scopes     got[[]string]
	leads      got[bool]
	users      got[[]bitrix.User]
	categories got[[]bitrix.Category]
	sources    got[[]bitrix.Status]
	leadStages got[[]bitrix.Status]
	dealStages got[[]bitrix.Status]
	fields     map[bitrix.Kind]got[[]field]
	taskFields got[[]bitrix.Field]
	register   got[calls]
	search     got[search]
}

// calls says whether the webhook may write call records.
type calls string

const (
	callsUnasked calls = "" // the scope is missing
	callsAllowed calls = "allowed"
	callsRefused calls = "refused"
)

// search says whether tasks can be searched by external id.
type search string

const (
	searchUntold  search = "" // a portal without tasks doesn't show it
	searchWorks   search = "works"
	searchIgnored search = "ignored"
)

// kindsMade are the kinds that calls can make, in the order of the report.
var kindsMade = []bitrix.Kind{bitrix.Lead, bitrix.Deal, bitrix.Contact}

// ask reads everything. The error is about the portal as a whole: nothing was told.
func ask(ctx context.Context, client *bitrix.Client, p settings.Project) (answers, *bitrix.Error) {
	commands := []bitrix.Command{
		bitrix.Profile().As("profile"), bitrix.Scope().As("scope"), bitrix.Mode().As("mode"), bitrix.Users(false, 0).As("users"),
		bitrix.Categories().As("categories"), bitrix.StatusList("SOURCE").As("sources"), bitrix.StatusList("STATUS").As("lead_stages"),
		bitrix.StatusList(bitrix.DealStages(p.Scenarios.Pipeline.Category)).As("deal_stages"),
		bitrix.DescribeTask().As("task_fields"), bitrix.MethodAvailable(registerCall).As("telephony"),
		bitrix.FindTasksByXMLID(strayID, time.Time{}, 0).As("stray_tasks"), anyTask().As("any_task"),
	}
	for _, kind := range kindsMade {
		commands = append(commands, bitrix.ItemFields(kind).As("fields_"+kind.String()))
	}
	first, err := client.Batch(ctx, commands, false)
	if err != nil {
		return answers{}, asError(err)
	}
	a := answers{
		moved: first.Moved, owner: read(first, "profile", decodeOwner), scopes: read(first, "scope", bitrix.DecodeScope),
		leads: read(first, "mode", bitrix.DecodeMode), users: read(first, "users", bitrix.DecodeUsers),
		categories: read(first, "categories", bitrix.DecodeCategories), sources: read(first, "sources", bitrix.DecodeStatuses),
		leadStages: read(first, "lead_stages", bitrix.DecodeStatuses), dealStages: read(first, "deal_stages", bitrix.DecodeStatuses),
		taskFields: read(first, "task_fields", bitrix.DecodeFields), search: readSearch(first), fields: map[bitrix.Kind]got[[]field]{},
	}
	for _, kind := range kindsMade {
		a.fields[kind] = read(first, "fields_"+kind.String(), decodeItemFields)
	}
	available := read(first, "telephony", func(raw json.RawMessage) (bool, error) {
		exists, available, err := bitrix.DecodeMethodAvailable(raw)
		return exists && available, err
	})
	a.register.err = available.err
	askMore(ctx, client, &a, first.Get("users"), available.value)
	return a, nil
}

// askMore reads the further pages of employees and tries whether calls may be written.
func askMore(ctx context.Context, client *bitrix.Client, a *answers, page bitrix.Outcome, tryCalls bool) {
	for range maxUserRequests {
		var commands []bitrix.Command
		var pages []string
		if a.users.err == nil && page.Next != nil {
			for start := *page.Next; len(commands) < bitrix.MaxBatch-1 && (page.Total == nil || start < *page.Total); start += 50 {
				c := bitrix.Users(false, start)
				c.Key = "users_" + number(start)
				commands, pages = append(commands, c), append(pages, c.Key)
			}
		}
		if tryCalls {
			commands = append(commands, bitrix.Command{Key: "register", Method: registerCall})
		}
		if len(commands) == 0 {
			return
		}
		more, err := client.Batch(ctx, commands, false)
		if tryCalls {
			a.register = readRegister(more.Get("register"), err)
			tryCalls = false
		}
		page = bitrix.Outcome{}
		for _, key := range pages {
			users := got[[]bitrix.User]{err: err}
			if err == nil {
				users = read(more, key, bitrix.DecodeUsers)
			}
			a.users.value = append(a.users.value, users.value...)
			if a.users.err == nil {
				a.users.err = users.err
			}
			page = more.Get(key)
		}
		if err != nil {
			return
		}
	}
	if a.users.err == nil && page.Next != nil {
		a.users.err = errTooMany // half a list would call the others unknown
	}
}

// anyTask asks for tasks whichever, to see whether there are any.
func anyTask() bitrix.Command {
	return bitrix.Command{Method: "tasks.task.list", Params: bitrix.Params{
		{Name: "order", Value: bitrix.Params{{Name: "ID", Value: "desc"}}}, {Name: "select", Value: []string{"ID"}},
	}}
}

func read[T any](b bitrix.BatchAnswer, key string, decode func(json.RawMessage) (T, error)) got[T] {
	o := b.Get(key)
	if o.Error != nil {
		return got[T]{err: o.Error}
	}
	value, err := decode(o.Result)
	return got[T]{value, err}
}

// decodeOwner gives nil for an owner who was dismissed.
func decodeOwner(raw json.RawMessage) (*bitrix.User, error) {
	user, ok, err := bitrix.DecodeProfile(raw)
	if err != nil || !ok {
		return nil, err
	}
	return &user, nil
}

// readRegister reads the refusal of a call without parameters.
func readRegister(o bitrix.Outcome, failed error) got[calls] {
	switch {
	case failed != nil:
		return got[calls]{err: failed}
	case o.Error == nil || o.Error.Reason == bitrix.ReasonInvalid:
		return got[calls]{value: callsAllowed}
	case o.Error.Reason == bitrix.ReasonMethod || o.Error.Reason == bitrix.ReasonAccess:
		return got[calls]{value: callsRefused}
	}
	return got[calls]{err: o.Error}
}

// readSearch compares what is found under an id that nobody has with what there is.
func readSearch(b bitrix.BatchAnswer) got[search] {
	tasks := func(raw json.RawMessage) ([]bitrix.Task, error) { return bitrix.DecodeTasks(raw) }
	stray, all := read(b, "stray_tasks", tasks), read(b, "any_task", tasks)
	switch {
	case stray.err != nil || all.err != nil:
		return got[search]{err: errors.Join(stray.err, all.err)}
	case len(stray.value) > 0:
		return got[search]{value: searchIgnored}
	case len(all.value) > 0:
		return got[search]{value: searchWorks}
	}
	return got[search]{value: searchUntold}
}

// asError finds the portal's error in err; anything else is one that nobody knows.
func asError(err error) *bitrix.Error {
	var e *bitrix.Error
	if errors.As(err, &e) {
		return e
	}
	return &bitrix.Error{Class: bitrix.ClassOf(err), Reason: bitrix.ReasonUnknown}
}

// makes says what a new client becomes on a portal with or without leads, as the
// planner does.
func makes(newClient string, leads bool) []bitrix.Kind {
	switch {
	case newClient == "nothing":
		return nil
	case !leads && (newClient == "" || newClient == "lead" || newClient == "contact+lead"):
		return []bitrix.Kind{bitrix.Contact, bitrix.Deal}
	case newClient == "":
		return []bitrix.Kind{bitrix.Lead}
	}
	return map[string][]bitrix.Kind{
		"lead": {bitrix.Lead}, "deal": {bitrix.Deal}, "contact": {bitrix.Contact},
		"contact+lead": {bitrix.Contact, bitrix.Lead}, "contact+deal": {bitrix.Contact, bitrix.Deal},
	}[newClient]
}

// made is what a new client becomes here; ok is false while that is not known.
func (a answers) made(s settings.Scenarios) (kinds []bitrix.Kind, ok bool) {
	if s.NewClient == "deal" || s.NewClient == "contact" || s.NewClient == "contact+deal" || s.NewClient == "nothing" {
		return makes(s.NewClient, true), true
	}
	if a.leads.err != nil {
		return nil, false
	}
	return makes(s.NewClient, a.leads.value), true
}
