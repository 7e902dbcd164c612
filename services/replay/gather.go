package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// This file reads the stream once and puts the reports of each call together, on disk:
// a call's requests may lie days apart, and memory stays flat.

// before is how much earlier than the range requests are read: a time may have been read
// in the wrong zone.
const before = 48 * time.Hour

// gather reads every request of a project.
func (r *replayer) gather(ctx context.Context, p replayplan.Plan, s service.Revision, a *archive) error {
	joiner, read := r.Join(), r.Read(s)
	return r.Bus.Past(ctx, bus.View{
		Name: "replay", Project: p.Project, Types: []event.Type{event.TypeCallReceived, event.TypeCallParked},
		Apply: func(ctx context.Context, batch []bus.Recorded) error {
			said := readAll(batch, p, read)
			tx, err := a.db.BeginTx(ctx, nil)
			if err != nil {
				return fmt.Errorf("keep the reports: %w", err)
			}
			defer tx.Rollback()                                                                           // after Commit it has nothing to do
			insert, err := tx.PrepareContext(ctx, "INSERT OR IGNORE INTO reports VALUES (?, ?, ?, ?, ?)") //nolint:sqlclosecheck // it ends with its transaction
			if err != nil {
				return fmt.Errorf("keep the reports: %w", err)
			}
			for i, e := range batch {
				if e.Type == event.TypeCallParked {
					a.park(e.Envelope)
				}
				if said[i] == nil {
					continue
				}
				call, err := r.callOf(ctx, *said[i], p.Project, joiner)
				if err != nil {
					return err
				}
				if len(p.CallIDs) > 0 && !slices.Contains(p.CallIDs, call.ID) {
					continue
				}
				text, err := json.Marshal(call)
				if err != nil {
					return fmt.Errorf("keep the reports: %w", err)
				}
				if _, err := insert.ExecContext(ctx, call.ID, int64(e.Seq), e.ID, call.Client, string(text)); err != nil {
					return fmt.Errorf("keep the reports: %w", err)
				}
			}
			if err := tx.Commit(); err != nil {
				return fmt.Errorf("keep the reports: %w", err)
			}
			return nil
		},
	})
}

// readAll reads requests with today's settings, as fast as this machine can. What still
// can't be read, and what a person had sent again, says nothing.
func readAll(batch []bus.Recorded, p replayplan.Plan, read func(event.CallReceived) (event.Call, error)) []*event.Call {
	said := make([]*event.Call, len(batch))
	var reading sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		reading.Go(func() {
			for i := w; i < len(batch); i += workers {
				e := batch[i]
				if e.Type != event.TypeCallReceived || p.Since != nil && e.Time.Before(p.Since.Add(-before)) {
					continue
				}
				received, err := event.As[event.CallReceived](e.Envelope)
				if err != nil || received.RetryOf != "" {
					continue
				}
				if call, err := read(received); err == nil {
					said[i] = &call
				}
			}
		})
	}
	reading.Wait()
	return said
}

// callOf finds the call that a report is a part of.
func (r *replayer) callOf(ctx context.Context, call event.Call, project string, joiner Joiner) (event.Call, error) {
	of, sure := joiner.CallOf(call)
	if sure {
		return of, nil
	}
	file, err := r.Files.Get(ctx, project, call.ID)
	switch {
	case err != nil:
		return call, err
	case file.LegOf != "":
		return r.AsLeg(call, file.LegOf), nil
	case len(file.Reports) > 0:
		return call, nil
	}
	return of, nil
}

// input is a call with everything that deciding it again needs.
type input struct {
	id      string
	reports []report
	file    callfile.File
	parked  []event.CallParked
	err     error
}

// calls gives every call in the order of its first request. Files are read ahead: that is
// what takes long.
func (r *replayer) calls(ctx context.Context, project string, a *archive, each func(input) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	rows, err := a.db.QueryContext(ctx, "SELECT call FROM reports GROUP BY call ORDER BY min(seq)") //nolint:rowserrcheck,sqlclosecheck // they are, where the rows end
	if err != nil {
		return fmt.Errorf("list the calls: %w", err)
	}
	defer rows.Close()
	const ahead = 16
	loading := make(chan chan input, ahead)
	failed := make(chan error, 1)
	go func() {
		defer close(loading)
		for rows.Next() {
			var id string
			if err := rows.Scan(&id); err != nil {
				failed <- err
				return
			}
			one := make(chan input, 1)
			select {
			case loading <- one:
			case <-ctx.Done():
				return
			}
			go func() { one <- r.load(ctx, project, id, a) }()
		}
		failed <- rows.Err()
	}()
	for one := range loading {
		in := <-one
		if in.err != nil {
			return in.err
		}
		if err := each(in); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return <-failed
}

func (r *replayer) load(ctx context.Context, project, id string, a *archive) (in input) {
	in.id = id
	rows, err := a.of.QueryContext(ctx, id)
	if err != nil {
		in.err = fmt.Errorf("read the reports of call %s: %w", id, err)
		return in
	}
	defer rows.Close()
	for rows.Next() {
		var one report
		var seq int64
		var text string
		err := rows.Scan(&seq, &one.id, &text)
		if err == nil {
			err = json.Unmarshal([]byte(text), &one.call)
		}
		if err != nil {
			in.err = fmt.Errorf("read the reports of call %s: %w", id, err)
			return in
		}
		one.seq = uint64(seq)
		in.reports = append(in.reports, one)
	}
	if in.err = rows.Err(); in.err != nil {
		return in
	}
	in.file, in.err = r.Files.Get(ctx, project, id)
	in.parked = slices.Clone(a.byCall[id])
	for _, one := range in.reports {
		for _, p := range a.byRequest[one.id] {
			if !slices.ContainsFunc(in.parked, func(q event.CallParked) bool { return q.ID == p.ID }) {
				in.parked = append(in.parked, p)
			}
		}
	}
	return in
}

// facts fold the reports of a call; with ids, only of those requests.
func facts(reports []report, ids ...string) event.Call {
	var kept []event.Call
	for _, r := range reports {
		if len(ids) == 0 || slices.Contains(ids, r.id) {
			kept = event.With(kept, r.call)
		}
	}
	return event.Fold(kept)
}
