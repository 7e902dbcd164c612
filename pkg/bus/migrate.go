package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// Wanted is what a program keeps in the broker beside the stream of events.
type Wanted struct {
	Stores  []WantedStore
	Readers []WantedReader
	Kin     Kin
}

// Kin are readers whose names are made of a word of Words and a key of the store Keys,
// as in writer-shop. They may be there or not: what they are for is only known to a
// program that runs.
type Kin struct {
	Keys  string
	Words []string
}

// WantedStore is a [Store] as [Bus.StoreFor] makes it.
type WantedStore struct {
	Name, About string
	While       time.Duration
}

// WantedReader is the durable of a [Work] or, with Feed, of a [Feed].
type WantedReader struct {
	Name, Project string
	Types         []event.Type
	Held          int
	Feed          bool
}

// Difference is something that the broker has not, or has otherwise than it should be.
type Difference struct {
	// What is "stream EVENTS", "store calls" or "reader planner".
	What string `json:"what"`
	// Setting is what of it differs, Is and Want are its values; without a Setting all of
	// it is missing.
	Setting string `json:"setting,omitempty"`
	Is      string `json:"is,omitempty"`
	Want    string `json:"want,omitempty"`
	// InPlace says that it can be changed while everything is there; Says is what a person
	// should know of it, or has to do.
	InPlace bool   `json:"in_place"`
	Says    string `json:"says,omitempty"`
}

// Inspection is how a broker compares with what a program wants.
type Inspection struct {
	Differences []Difference `json:"differences"`
	// Strangers are streams and readers that this program knows nothing of. They are left.
	Strangers []string `json:"strangers"`
}

// Inspect compares and changes nothing. An embedded broker must be in nobody's use.
func Inspect(ctx context.Context, o Options, w Wanted) (Inspection, error) {
	return migrate(ctx, o, w, false)
}

// Adjust makes what is missing and what can be changed in place, and says what is left.
// It does what [Open], [Bus.StoreFor] and the readers do at a start.
func Adjust(ctx context.Context, o Options, w Wanted) (Inspection, error) {
	return migrate(ctx, o, w, true)
}

func migrate(ctx context.Context, o Options, w Wanted, apply bool) (i Inspection, err error) {
	b, err := dial(o)
	if err != nil {
		return i, err
	}
	defer func() { err = errors.Join(err, b.Close()) }()
	things := b.wanted(w)
	if apply {
		for _, t := range things {
			differs, err := t.differences(ctx)
			if err != nil {
				return i, err
			}
			if !slices.ContainsFunc(differs, func(d Difference) bool { return d.InPlace }) {
				continue
			}
			// What can't be changed would have the broker refuse the rest too.
			if err := t.make(ctx, differs); err != nil {
				return i, fmt.Errorf("change %s: %w", t.what, err)
			}
		}
	}
	i = Inspection{Differences: []Difference{}, Strangers: []string{}}
	for _, t := range things {
		differs, err := t.differences(ctx)
		if err != nil {
			return i, err
		}
		i.Differences = append(i.Differences, differs...)
	}
	i.Strangers, err = b.strangers(ctx, things, w.Kin)
	return i, err
}
