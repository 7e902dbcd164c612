package console

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// fate is a parked thing whatever became of it.
type fate struct {
	id, call string
	state    event.ParkedState
	received []string
}

// fateWhere finds the newest parked thing of a project that a condition names.
func (i index) fateWhere(ctx context.Context, project, condition, value string) (f fate, ok bool, err error) {
	db, done := i.Read()
	defer done()
	var received []byte
	err = db.QueryRowContext(ctx, "SELECT id, call, state, received FROM parked WHERE project = ? AND "+condition+" ORDER BY seq DESC LIMIT 1", project, value).
		Scan(&f.id, &f.call, &f.state, &received)
	if errors.Is(err, sql.ErrNoRows) {
		return f, false, nil
	}
	if err == nil {
		err = json.Unmarshal(received, &f.received)
	}
	if err != nil {
		return f, false, fmt.Errorf("read what became of a parked thing: %w", err)
	}
	return f, true, nil
}

// gone says what became of a thing that is not parked any more: one that was tried
// again and stopped again is parked under another id.
func (i index) gone(ctx context.Context, project, id string) (string, error) {
	f, ok, err := i.fateWhere(ctx, project, "id = ?", id)
	switch {
	case err != nil || !ok:
		return "Nothing with this id waits for a person.", err
	case f.state == event.ParkedDropped:
		return "It was dropped.", nil
	case f.call != "":
		now, ok, err := i.fateWhere(ctx, project, "state = 'parked' AND call = ?", f.call)
		if err == nil && ok {
			return fmt.Sprintf("It was tried again. Of call %s %s is parked now.", f.call, now.id), nil
		}
		return fmt.Sprintf("It was tried again. The story of call %s tells what became of it.", f.call), err
	}
	// A request that is read again has an id that comes from both.
	for seen := []string{}; f.state == event.ParkedRetried && len(f.received) > 0 && !slices.Contains(seen, f.id); {
		seen = append(seen, f.id)
		next, ok, err := i.fateWhere(ctx, project, "instr(received, ?) > 0", rereadID(f.received[len(f.received)-1], f.id))
		if err != nil {
			return "", err
		}
		if !ok {
			break
		}
		f = next
	}
	switch f.state {
	case event.ParkedWaiting:
		return fmt.Sprintf("It was tried again, and is parked again as %s.", f.id), nil
	case event.ParkedDropped:
		return "It was tried again, and then dropped.", nil
	}
	return "It was tried again.", nil
}

// rereadID is the id that [event.Next] gives to a request that is read again.
func rereadID(request, parked string) string {
	return event.Derive(request, string(event.TypeCallReceived), parked)
}
