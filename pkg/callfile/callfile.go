// Package callfile keeps the file of each call: what every report said of it, what
// the CRM knew, and the journal of what was written because of it. Three services
// share a file and each writes its own part: the classifier Reports, the resolver
// Resolved, the writer the journal.
//
// A file is changed by compare-and-set only. The journal's intents are on disk before
// a request leaves (design: the journal), so after a crash the file says what may
// have happened. Start reading at [File].
package callfile

import (
	"context"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// File is everything remembered of one call.
type File struct {
	// LegOf names the call that this one is a part of, where a talk was passed on: that
	// call's file holds everything.
	LegOf string `json:"leg_of,omitempty"`

	// Reports are the classifier's: what each request said, the most telling first.
	Reports []event.Call `json:"reports,omitempty"`
	// Received names the call.received events that were read into Reports.
	Received []string `json:"received,omitempty"`
	// Classified is the event that the newest of them led to.
	Classified *event.Envelope `json:"classified,omitempty"`

	// Resolved is the resolver's: the decision's ground as it was first found, with the
	// facts it was last published with. ResolvedAs is that event.
	Resolved   *event.CallResolved `json:"resolved,omitempty"`
	ResolvedAs *event.Envelope     `json:"resolved_as,omitempty"`
	// Retried are the events by which people asked to try the call again, and were obeyed.
	Retried []string `json:"retried,omitempty"`

	// Settled is the plan (a call.resolved event) whose commands all have their outcome.
	Settled string `json:"settled,omitempty"`
	// Overtaken are the plans that were settled before it.
	Overtaken []string `json:"overtaken,omitempty"`
	// Wanted are the roles that the settled decisions want; nil in files of versions that
	// did not note it, empty where nothing is wanted. What is in the journal beside them was
	// left or undone.
	Wanted []string `json:"wanted,omitzero"`
	// Journal is the writer's, by command role.
	Journal map[string]Entry `json:"journal,omitempty"`
}

// State is where a command stands.
type State string

// The states. A command without an entry was never tried.
const (
	// Intent is on disk: a request may be out, or may have been when the process died.
	Intent State = "intent"
	// InDoubt means that a request left and nobody knows whether it was carried out.
	InDoubt State = "in_doubt"
	// Planned means that it surely was not carried out and may be sent.
	Planned State = "planned"
	// Made means that the thing exists; a task that should be closed is still open.
	Made State = "made"
	// Confirmed means that it is as it should be. It is never sent again.
	Confirmed State = "confirmed"
	// Rejected means that the portal refused it for good.
	Rejected State = "rejected"
)

// Entry is the journal's line about one command.
type Entry struct {
	Command string `json:"command_id"`
	// Plan is the one under which the entry last moved: a refusal holds for its plan
	// only, so a retry tries again.
	Plan     string     `json:"plan_id"`
	Kind     event.Kind `json:"kind"`
	State    State      `json:"state"`
	Attempt  int        `json:"attempt,omitempty"`
	SentAt   time.Time  `json:"sent_at,omitzero"`
	BitrixID int        `json:"bitrix_id,omitempty"`
	// ChangedAt is when a change of what exists left, while nobody knows whether the
	// portal is done with it: a later change must not be overtaken by it.
	ChangedAt time.Time `json:"changed_at,omitzero"`
	// Adopted is true when the id was found by a search after a lost answer.
	Adopted bool `json:"adopted,omitempty"`
	// Entity and Task are what was last written, to know later what a person changed. Of a
	// field that a replay left to a person it is what was wanted: he is not asked again.
	Entity *event.Entity `json:"entity,omitempty"`
	Task   *event.Task   `json:"task,omitempty"`
	// Former are the responsibles that an entity had before replays: what the CRM said of it
	// to a later call is then known for ours.
	Former  []int       `json:"former,omitempty"`
	Reason  string      `json:"reason,omitempty"`
	Error   string      `json:"error,omitempty"`
	ErrorIn event.Texts `json:"error_in,omitempty"`
}

// Files opens the files of calls.
type Files struct{ store *bus.Store }

// Open opens the store of files, making it where it is missing.
func Open(ctx context.Context, b *bus.Bus) (*Files, error) {
	store, err := b.Store(ctx, "calls", "the file of each call: reports, resolution, journal")
	if err != nil {
		return nil, err
	}
	return &Files{store}, nil
}

// Get reads a call's file; a call never heard of has an empty one.
func (f *Files) Get(ctx context.Context, project, call string) (File, error) {
	var file File
	_, err := f.store.Get(ctx, key(project, call), &file)
	return file, err
}

// Find is Get, led from the leg of a passed-on talk to the call that it belongs to.
func (f *Files) Find(ctx context.Context, project, call string) (File, error) {
	file, err := f.Get(ctx, project, call)
	if err == nil && file.LegOf != "" {
		file, err = f.Get(ctx, project, file.LegOf)
	}
	return file, err
}

// Change alters a call's file by compare-and-set and returns what is now stored.
// change may be called several times and returns false to leave the file as it is.
func (f *Files) Change(ctx context.Context, project, call string, change func(*File) (bool, error)) (File, error) {
	return bus.Change(ctx, f.store, key(project, call), change)
}

// key is a store key for any call id: ids of callers may hold any character.
func key(project, call string) string { return project + "." + event.Derive("file", project, call) }
