package console

import (
	"context"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// This file finds calls: by what is known of them, the newest first, page by page.

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
	// ToldAt is when the call was first told of, where nobody has said when it began.
	ToldAt string `json:"told_at,omitempty"`
}

// told fills in when a call was told of that did not say when it began: the list has its
// place for it by then.
func (c *callItem) told(at int64) {
	if c.StartedAt == "" {
		c.ToldAt = time.UnixMilli(at).UTC().Format(time.RFC3339)
	}
}

// filter narrows a list of calls.
type filter struct {
	project, phone, employee, direction, outcome, client, state string
	// unfinished asks for calls that go on: "too" beside the finished ones, or "only".
	unfinished   string
	since, until time.Time
	limit        int
	cursor       string
}

var errCursor = errors.New("the cursor is not one of ours; start without it")

// depth is how many calls one question looks through at most, so that an answer comes
// in time also where next to nothing fits: the next page goes on from there.
const depth = 5_000

// condition is a part of a filter, and the index that finds what fits it.
type condition struct{ column, value, index string }

// halves are the parts of the index that hold what fits: finished calls, calls that go
// on. A state is where a finished call stands.
func (f filter) halves() []int {
	switch {
	case f.unfinished == "only":
		return []int{0}
	case f.unfinished == "too" && f.state == "":
		return []int{1, 0}
	}
	return []int{1}
}

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
	halves         []int
	walk, rest     []string
	index          string
	walked, rested []any
}

func (f filter) search() (search, error) {
	s := search{halves: f.halves(), walk: []string{"project = ?"}, walked: []any{f.project}, index: "calls_by_time"}
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

// calls is the walk, and what it is given: SQLite reads several halves side by side, each
// in its index's order, and only as far as somebody reads on.
func (s search) calls(columns string) (query string, args []any) {
	var walks []string
	for _, half := range s.halves {
		walks = append(walks, "SELECT "+columns+" FROM calls INDEXED BY "+s.index+" WHERE final = "+strconv.Itoa(half)+" AND "+strings.Join(s.walk, " AND "))
		args = append(args, s.walked...)
	}
	return strings.Join(walks, " UNION ALL ") + " ORDER BY started_at DESC, id DESC", args
}

const callColumns = "id, started, direction, outcome, client, phone, employee, rule, iif(final, state, 'unfinished') AS state, started_at"

// calls lists calls, the newest first, and the cursor of the next page. A page
// can be short, or empty, and still name a next one: see [depth].
func (i index) calls(ctx context.Context, f filter) ([]callItem, string, error) {
	s, err := f.search()
	if err != nil {
		return nil, "", err
	}
	db, done := i.Read()
	defer done()
	query, args := s.calls(callColumns)
	if len(s.rest) > 0 {
		query = "SELECT * FROM (" + query + " LIMIT " + strconv.Itoa(depth) + ") WHERE " + strings.Join(s.rest, " AND ")
	}
	items, next := []callItem{}, ""
	var at int64
	err = each(ctx, db, query+" LIMIT ?", slices.Concat(args, s.rested, []any{f.limit + 1}), func(rows *sql.Rows) error {
		if len(items) == f.limit {
			next = writeCursor(at, items[f.limit-1].ID)
			return nil
		}
		var c callItem
		err := rows.Scan(&c.ID, &c.StartedAt, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee, &c.Rule, &c.State, &at)
		c.told(at)
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
	query, args := s.calls("started_at, id")
	err := db.QueryRowContext(ctx, query+" LIMIT 1 OFFSET "+strconv.Itoa(depth-1), args...).Scan(&at, &id)
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
