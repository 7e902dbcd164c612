package reconciler

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// tally is what became of the rows of a span; rows is all of them.
type tally struct {
	Rows    int `json:"rows"`
	Brought int `json:"brought"`
	Known   int `json:"known"`
	Waiting int `json:"waiting"`
	// oldest is when the earliest call began that is to be read again.
	oldest time.Time
}

const (
	// maxRow is what a request may hold (contract: never cut).
	maxRow = 256 << 10
	// maxRemembered bounds the memory of brought rows: with its ids it stays well below
	// the broker's megabyte. What falls out is judged by the call's file alone.
	maxRemembered = 2000
	// maxMarks is how many rows of one call are remembered: legs of a call that was passed
	// on may share its id.
	maxMarks = 8
)

// memory is which rows were brought, by call.
type memory map[string]remembered

type remembered struct {
	Marks []string  `json:"marks"`
	At    time.Time `json:"at"`
}

// with notes a row; the calls that were brought longest ago go first.
func (m memory) with(r row, now time.Time) {
	have := m[r.key()]
	if !slices.Contains(have.Marks, r.mark) {
		have.Marks = append(have.Marks, r.mark)
	}
	m[r.key()] = remembered{have.Marks[max(0, len(have.Marks)-maxMarks):], now}
	if len(m) <= maxRemembered {
		return
	}
	delete(m, slices.MinFunc(slices.Collect(maps.Keys(m)), func(a, b string) int {
		return cmp.Or(m[a].At.Compare(m[b].At), cmp.Compare(a, b))
	}))
}

// read reads a span of the log and brings what is missing.
func (d *desk) read(ctx context.Context, from, to time.Time, source event.Source) (tally, error) {
	client, project, err := d.open()
	if err != nil {
		return tally{}, err
	}
	rows, err := client.Rows(ctx, from, to, project.Location())
	if err != nil {
		return tally{}, err
	}
	var before memory
	if _, err := d.memories.Get(ctx, d.project, &before); err != nil {
		return tally{}, fmt.Errorf("read which rows were brought: %w", err)
	}
	var brought []row
	// What was brought is remembered also when a later row fails: the next reading goes on.
	sum, err := func() (sum tally, err error) {
		for _, raw := range rows {
			r := readRow(raw, project)
			v, err := d.one(ctx, r, before[r.key()].Marks, source)
			if err != nil {
				return sum, err
			}
			switch sum.Rows++; v {
			case bring:
				sum.Brought++
				brought = append(brought, r)
			case known:
				sum.Known++
			case wait:
				sum.Waiting++
				if sum.oldest.IsZero() || !r.StartedAt.IsZero() && r.StartedAt.Before(sum.oldest) {
					sum.oldest = r.StartedAt
				}
			}
		}
		return sum, nil
	}()
	return sum, errors.Join(err, d.remember(ctx, brought))
}

// one judges one row and brings it where it must.
func (d *desk) one(ctx context.Context, r row, marks []string, source event.Source) (verdict, error) {
	var reports []event.Call
	if r.CallID != "" {
		file, err := d.Files.Find(ctx, d.project, r.CallID)
		if err != nil {
			return "", fmt.Errorf("look whether call %s is known: %w", r.CallID, err)
		}
		reports = saidOf(file.Reports, r.CallID)
	}
	v := judge(r, reports, marks, d.Grace, d.Now())
	if v != bring {
		return v, nil
	}
	if len(r.Raw) > maxRow {
		d.log.Error("a row of the call log is larger than a request may be and was left out", zap.String("call", r.CallID), zap.Int("bytes", len(r.Raw)))
		return known, nil
	}
	now := d.Now()
	e, err := event.First("reconciler", now, &event.CallReceived{
		Project: d.project, Source: source, Method: "GET", Headers: map[string]string{"Content-Type": "application/json"},
		Body: r.Raw, ReceivedAt: now.UTC().Truncate(time.Millisecond),
	})
	if err != nil {
		return "", err
	}
	// The same row is the same event: brought again after a crash, by two processes or by
	// hand, it is handled once.
	e.ID = r.id(d.project)
	if _, err := d.Bus.Publish(ctx, e); err != nil {
		return "", fmt.Errorf("bring call %s: %w", r.CallID, err)
	}
	d.log.Info("call brought from the call log", zap.String("call", r.CallID), zap.String("source", string(source)))
	return bring, nil
}

// saidOf are the reports of one row among those of its call: a talk that was passed on
// has rows of several ids.
func saidOf(reports []event.Call, id string) []event.Call {
	var out []event.Call
	for _, r := range reports {
		if cmp.Or(r.Leg, r.ID) == id {
			out = append(out, r)
		}
	}
	return out
}

func (d *desk) remember(ctx context.Context, brought []row) error {
	if len(brought) == 0 {
		return nil
	}
	_, err := bus.Change(context.WithoutCancel(ctx), d.memories, d.project, func(m *memory) (bool, error) {
		if *m == nil {
			*m = memory{}
		}
		for _, r := range brought {
			m.with(r, d.Now())
		}
		return true, nil
	})
	if err != nil {
		return fmt.Errorf("remember which rows were brought: %w", err)
	}
	return nil
}
