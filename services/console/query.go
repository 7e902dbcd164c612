package console

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// callStory is one call with everything that happened to it.
type callStory struct {
	callItem
	Events   []storyEvent   `json:"events"`
	Commands []storyCommand `json:"commands"`
}

type storyEvent struct {
	ID    string          `json:"id"`
	Type  event.Type      `json:"type"`
	Time  time.Time       `json:"time"`
	Words string          `json:"words"`
	Data  json.RawMessage `json:"data"`
}

type storyCommand struct {
	ID       string `json:"id"`
	Role     string `json:"role"`
	Rule     string `json:"rule"`
	Kind     string `json:"kind"`
	State    string `json:"state"`
	BitrixID int    `json:"bitrix_id"`
	Error    string `json:"error"`
}

// parkedItem is something that waits for a person.
type parkedItem struct {
	ID     string `json:"id"`
	CallID string `json:"call_id"`
	Step   string `json:"step"`
	Reason string `json:"reason"`
	Remedy string `json:"remedy"`
	// ReasonIn and RemedyIn are there in every language or not at all.
	ReasonIn event.Texts `json:"reason_in,omitempty"`
	RemedyIn event.Texts `json:"remedy_in,omitempty"`
	ParkedAt time.Time   `json:"parked_at"`
	Received []string    `json:"received_ids"`
	Raw      []rawItem   `json:"raw,omitempty"`
}

// rawItem is a stored request as it came.
type rawItem struct {
	ReceivedAt time.Time         `json:"received_at"`
	Method     string            `json:"method"`
	Query      string            `json:"query"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// call reads one call and where its events are; ok is false where it is not known.
func (i index) call(ctx context.Context, project, id string) (story callStory, seqs []uint64, ok bool, err error) {
	db, done := i.Read()
	defer done()
	c := &story.callItem
	var at int64
	err = db.QueryRowContext(ctx, "SELECT "+callColumns+" FROM calls WHERE project = ? AND id = ?", project, id).
		Scan(&c.ID, &c.StartedAt, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee, &c.Rule, &c.State, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return story, nil, false, nil
	}
	if err != nil {
		return story, nil, false, fmt.Errorf("read call: %w", err)
	}
	c.told(at)
	story.Events, story.Commands = []storyEvent{}, []storyCommand{}
	err = each(ctx, db, "SELECT seq FROM events WHERE project = ? AND call = ? ORDER BY seq", []any{project, id}, func(rows *sql.Rows) error {
		var seq int64
		err := rows.Scan(&seq)
		seqs = append(seqs, uint64(seq))
		return err
	})
	if err != nil {
		return story, nil, false, err
	}
	err = each(ctx, db, `SELECT id, role, rule, kind, state, bitrix_id, error FROM commands WHERE project = ? AND call = ? ORDER BY position`,
		[]any{project, id}, func(rows *sql.Rows) error {
			var c storyCommand
			err := rows.Scan(&c.ID, &c.Role, &c.Rule, &c.Kind, &c.State, &c.BitrixID, &c.Error)
			story.Commands = append(story.Commands, c)
			return err
		})
	return story, seqs, true, err
}

// parkedFilter narrows a list of parked things: to one, or to those after a page's last.
type parkedFilter struct {
	project, id, cursor string
	limit               int
}

// parkedItems lists what waits for a person, the newest first.
func (i index) parkedItems(ctx context.Context, f parkedFilter) ([]parkedItem, error) {
	at, after := int64(math.MaxInt64), ""
	if f.cursor != "" {
		var err error
		if at, after, err = readCursor(f.cursor); err != nil {
			return nil, err
		}
	}
	db, done := i.Read()
	defer done()
	items := []parkedItem{}
	// The condition on at alone lets the index begin where the page does.
	err := each(ctx, db, `SELECT id, call, step, reason, remedy, reason_in, remedy_in, received, at FROM parked
		WHERE project = ?1 AND state = 'parked' AND (?2 = '' OR id = ?2) AND at <= ?3 AND (at < ?3 OR id > ?4) ORDER BY at DESC, id LIMIT ?5`,
		[]any{f.project, f.id, at, after, f.limit}, func(rows *sql.Rows) error {
			var p parkedItem
			var reason, remedy, received []byte
			var at int64
			if err := rows.Scan(&p.ID, &p.CallID, &p.Step, &p.Reason, &p.Remedy, &reason, &remedy, &received, &at); err != nil {
				return err
			}
			if err := errors.Join(json.Unmarshal(reason, &p.ReasonIn), json.Unmarshal(remedy, &p.RemedyIn), json.Unmarshal(received, &p.Received)); err != nil {
				return err
			}
			p.ParkedAt = time.UnixMilli(at).UTC()
			items = append(items, p)
			return nil
		})
	return items, err
}

// doubt is a command whose answer was lost and that is being looked for.
type doubt struct {
	Command string `json:"command_id"`
	Call    string `json:"call_id"`
	Role    string `json:"role"`
	Kind    string `json:"kind"`
	Phone   string `json:"phone"`
}

// mostDoubts bounds the list of commands in doubt: who has more has an outage.
const mostDoubts = 100

// doubts lists the commands in doubt.
func (i index) doubts(ctx context.Context, project string) ([]doubt, error) {
	db, done := i.Read()
	defer done()
	out := []doubt{}
	err := each(ctx, db, `SELECT c.id, c.call, c.role, c.kind, coalesce(calls.phone, '') FROM commands c
		LEFT JOIN calls ON calls.project = c.project AND calls.id = c.call
		WHERE c.project = ? AND c.state = 'in_doubt' ORDER BY c.call LIMIT ?`, []any{project, mostDoubts}, func(rows *sql.Rows) error {
		var d doubt
		err := rows.Scan(&d.Command, &d.Call, &d.Role, &d.Kind, &d.Phone)
		out = append(out, d)
		return err
	})
	return out, err
}

// counts says how many calls wait, are in doubt, are parked.
func (i index) counts(ctx context.Context, project string) (waiting, parked int, err error) {
	db, done := i.Read()
	defer done()
	err = db.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM requests WHERE project = ?1 AND unread = 1) +
		(SELECT count(*) FROM calls WHERE project = ?1 AND final = 1 AND state IN ('waiting', 'in_doubt')),
		(SELECT count(*) FROM parked WHERE project = ?1 AND state = 'parked')`, project).Scan(&waiting, &parked)
	if err != nil {
		return 0, 0, fmt.Errorf("count calls: %w", err)
	}
	return waiting, parked, nil
}

func each(ctx context.Context, db *sql.DB, query string, args []any, row func(*sql.Rows) error) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("query the index: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
	}
	return rows.Err()
}

// requestSeq is where a stored request is in the stream.
func (i index) requestSeq(ctx context.Context, id string) (seq uint64, ok bool, err error) {
	db, done := i.Read()
	defer done()
	var at int64
	err = db.QueryRowContext(ctx, "SELECT seq FROM requests WHERE id = ?", id).Scan(&at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, false, nil
	}
	return uint64(at), err == nil, err
}
