package console

import (
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// callItem is a call in the API's list.
type callItem struct {
	ID        string `json:"id"`
	StartedAt string `json:"started_at"`
	Direction string `json:"direction"`
	Outcome   string `json:"outcome"`
	Client    string `json:"client"`
	Phone     string `json:"phone"`
	Employee  string `json:"employee"`
	Rule      string `json:"rule"`
	State     string `json:"state"`
}

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
	ID       string    `json:"id"`
	CallID   string    `json:"call_id"`
	Step     string    `json:"step"`
	Reason   string    `json:"reason"`
	Remedy   string    `json:"remedy"`
	ParkedAt time.Time `json:"parked_at"`
	Received []string  `json:"received_ids"`
	Raw      []rawItem `json:"raw,omitempty"`
}

// rawItem is a stored request as it came.
type rawItem struct {
	ReceivedAt time.Time         `json:"received_at"`
	Method     string            `json:"method"`
	Query      string            `json:"query"`
	Headers    map[string]string `json:"headers"`
	Body       string            `json:"body"`
}

// filter narrows a list of calls.
type filter struct {
	project, phone, employee, direction, outcome, client, state string
	since, until                                                time.Time
	limit                                                       int
	cursor                                                      string
}

var errCursor = errors.New("the cursor is not one of ours; start without it")

// depth is how many calls one question looks through at most, so that an answer comes
// in time also where next to nothing fits: the next page goes on from there.
const depth = 5_000

// condition is a part of a filter, and the index that finds what fits it.
type condition struct{ column, value, index string }

// conditions are the filter's, the one that fits fewest calls first.
func (f filter) conditions() []condition {
	byState := condition{"state", f.state, "calls_by_state"}
	all := []condition{{"phone", f.phone, "calls_by_phone"}, byState, {"employee", f.employee, "calls_by_employee"}, {"outcome", f.outcome, "calls_by_outcome"}}
	if f.state == "done" { // most calls are
		all = append(all[:1], all[2], all[3], byState)
	}
	all = append(all, condition{"direction", f.direction, ""}, condition{"client", f.client, ""})
	return slices.DeleteFunc(all, func(c condition) bool { return c.value == "" })
}

// search is a filter as SQL: calls in the list's order by one index, and what else is
// asked of them. SQLite is told the index: it knows nothing of how many calls fit what.
type search struct {
	walk, rest     []string
	index          string
	walked, rested []any
}

func (f filter) search() (search, error) {
	s := search{walk: []string{"project = ?", "final = 1"}, walked: []any{f.project}, index: "calls_by_time"}
	walk := func(words string, values ...any) {
		s.walk, s.walked = append(s.walk, words), append(s.walked, values...)
	}
	for i, c := range f.conditions() {
		if i == 0 && c.index != "" {
			s.index = c.index
			walk(c.column+" = ?", c.value)
			continue
		}
		s.rest, s.rested = append(s.rest, c.column+" = ?"), append(s.rested, c.value)
	}
	if !f.since.IsZero() {
		walk("started_at >= ?", f.since.UnixMilli())
	}
	if !f.until.IsZero() {
		walk("started_at < ?", f.until.UnixMilli())
	}
	if f.cursor != "" {
		at, id, err := readCursor(f.cursor)
		if err != nil {
			return s, err
		}
		walk("(started_at, id) < (?, ?)", at, id)
	}
	return s, nil
}

func (s search) calls(columns string) string {
	return "SELECT " + columns + " FROM calls INDEXED BY " + s.index + " WHERE " + strings.Join(s.walk, " AND ") + " ORDER BY started_at DESC, id DESC"
}

const callColumns = "id, started, direction, outcome, client, phone, employee, rule, state, started_at"

// calls lists finished calls, the newest first, and the cursor of the next page. A page
// can be short, or empty, and still name a next one: see [depth].
func (i index) calls(ctx context.Context, f filter) ([]callItem, string, error) {
	s, err := f.search()
	if err != nil {
		return nil, "", err
	}
	db, done := i.Read()
	defer done()
	query := s.calls(callColumns)
	if len(s.rest) > 0 {
		query = "SELECT " + callColumns + " FROM (" + query + " LIMIT " + strconv.Itoa(depth) + ") WHERE " + strings.Join(s.rest, " AND ")
	}
	items, next := []callItem{}, ""
	var at int64
	err = each(ctx, db, query+" LIMIT ?", slices.Concat(s.walked, s.rested, []any{f.limit + 1}), func(rows *sql.Rows) error {
		if len(items) == f.limit {
			next = writeCursor(at, items[f.limit-1].ID)
			return nil
		}
		var c callItem
		err := rows.Scan(&c.ID, &c.StartedAt, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee, &c.Rule, &c.State, &at)
		items = append(items, c)
		return err
	})
	if err == nil && next == "" && len(s.rest) > 0 {
		next, err = s.deepest(ctx, db)
	}
	return items, next, err
}

// deepest is the cursor of the last call that was looked through, where more follow.
func (s search) deepest(ctx context.Context, db *sql.DB) (string, error) {
	var at int64
	var id string
	err := db.QueryRowContext(ctx, s.calls("started_at, id")+" LIMIT 1 OFFSET "+strconv.Itoa(depth-1), s.walked...).Scan(&at, &id)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("query the index: %w", err)
	}
	return writeCursor(at, id), nil
}

func writeCursor(at int64, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(at, 10) + "|" + id))
}

func readCursor(s string) (at int64, id string, err error) {
	raw, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil {
		return 0, "", errCursor
	}
	number, id, ok := strings.Cut(string(raw), "|")
	if at, err = strconv.ParseInt(number, 10, 64); err != nil || !ok {
		return 0, "", errCursor
	}
	return at, id, nil
}

// call reads one call and where its events are; ok is false where it is not known.
func (i index) call(ctx context.Context, project, id string) (story callStory, seqs []uint64, ok bool, err error) {
	db, done := i.Read()
	defer done()
	c := &story.callItem
	err = db.QueryRowContext(ctx, `SELECT id, started, direction, outcome, client, phone, employee, rule, iif(final, state, 'unfinished')
		FROM calls WHERE project = ? AND id = ?`, project, id).
		Scan(&c.ID, &c.StartedAt, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee, &c.Rule, &c.State)
	if errors.Is(err, sql.ErrNoRows) {
		return story, nil, false, nil
	}
	if err != nil {
		return story, nil, false, fmt.Errorf("read call: %w", err)
	}
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

// parkedItems lists what waits for a person, the newest first; limit -1 is all.
func (i index) parkedItems(ctx context.Context, project, id string, limit int) ([]parkedItem, error) {
	db, done := i.Read()
	defer done()
	items := []parkedItem{}
	err := each(ctx, db, `SELECT id, call, step, reason, remedy, received, at FROM parked
		WHERE project = ?1 AND state = 'parked' AND (?2 = '' OR id = ?2) ORDER BY at DESC, id LIMIT ?3`, []any{project, id, limit}, func(rows *sql.Rows) error {
		var p parkedItem
		var received string
		var at int64
		if err := rows.Scan(&p.ID, &p.CallID, &p.Step, &p.Reason, &p.Remedy, &received, &at); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(received), &p.Received); err != nil {
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
