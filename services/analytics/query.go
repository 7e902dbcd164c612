package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"
)

// span is the calls asked about: those of a project that began in [since, until), in
// milliseconds.
type span struct {
	project      string
	since, until int64
}

func spanOf(project string, since, until time.Time) span {
	s := span{project, math.MinInt64, math.MaxInt64}
	if !since.IsZero() {
		s.since = since.UnixMilli()
	}
	if !until.IsZero() {
		s.until = until.UnixMilli()
	}
	return s
}

// whole is the part of the span that is made of whole slots, as their numbers, and
// edges the rest of it.
func (s span) whole(k kind) (from, to int64, edges []span) {
	from, to = math.MinInt64, math.MaxInt64
	if s.since != math.MinInt64 {
		if from = k.slotOf(s.since); from*k.slot() < s.since {
			from++
		}
	}
	if s.until != math.MaxInt64 {
		to = k.slotOf(s.until)
	}
	if from > to {
		return 0, 0, []span{s} // inside one slot
	}
	if s.since != math.MinInt64 && s.since < from*k.slot() {
		edges = append(edges, span{s.project, s.since, from * k.slot()})
	}
	if s.until != math.MaxInt64 && to*k.slot() < s.until {
		edges = append(edges, span{s.project, to * k.slot(), s.until})
	}
	return from, to, edges
}

const columns = `id, started_at, direction, outcome, client, phone, employee, source, medium, campaign, waiting_s, talk_s, rule, state, recording, next_at, next_by`

// calls gives every finished call of the span, the oldest first.
func calls(ctx context.Context, db *sql.DB, s span, zone *time.Location, each func(Call) error) error {
	return rows(ctx, db, "SELECT "+columns+` FROM calls WHERE project = ? AND started_at >= ? AND started_at < ? AND final = 1
		ORDER BY started_at, id`, []any{s.project, s.since, s.until}, func(r *sql.Rows) error {
		var c Call
		var started, next int64
		err := r.Scan(&c.ID, &started, &c.Direction, &c.Outcome, &c.Client, &c.Phone, &c.Employee, &c.Source, &c.Medium, &c.Campaign,
			&c.Waiting, &c.Talk, &c.Rule, &c.State, &c.Recording, &next, &c.NextBy)
		if err != nil {
			return err
		}
		c.StartedAt = time.UnixMilli(started).In(zone)
		if next != 0 {
			at := time.UnixMilli(next).In(zone)
			c.NextAt = &at
		}
		return each(c)
	})
}

const sums = `sum(calls), sum(answered), sum(missed), sum(voicemail), sum(outbound), sum(outbound_answered), sum(internal),
	sum(new), sum(known), sum(hidden), sum(talk_s), sum(waiting_s)`

// grouped sums the calls of the span up by their key.
func grouped(ctx context.Context, db *sql.DB, s span, k kind) (map[string]counts, error) {
	from, to, edges := s.whole(k)
	out := map[string]counts{}
	err := rows(ctx, db, "SELECT key, "+sums+" FROM tallies WHERE project = ? AND kind = ? AND slot >= ? AND slot < ? GROUP BY key HAVING sum(calls) > 0",
		[]any{s.project, int(k), from, to}, func(r *sql.Rows) error {
			var key string
			n, err := scan(r, &key)
			out[key] = n
			return err
		})
	for _, edge := range edges {
		err = cmp.Or(err, calls(ctx, db, edge, time.UTC, func(c Call) error {
			if key, ok := k.keyOf(c); ok {
				n := out[key]
				n.add(countOf(c), 1)
				out[key] = n
			}
			return nil
		}))
	}
	return out, err
}

// timed sums the calls of the span up by a name of their time.
func timed[N comparable](ctx context.Context, db *sql.DB, s span, name func(time.Time) N) (map[N]counts, error) {
	from, to, edges := s.whole(byAll)
	out := map[N]counts{}
	add := func(at time.Time, more counts) {
		n := out[name(at)]
		n.add(more, 1)
		out[name(at)] = n
	}
	err := rows(ctx, db, "SELECT slot, "+sums+" FROM tallies WHERE project = ? AND kind = ? AND slot >= ? AND slot < ? GROUP BY slot HAVING sum(calls) > 0",
		[]any{s.project, int(byAll), from, to}, func(r *sql.Rows) error {
			var number int64
			n, err := scan(r, &number)
			add(time.UnixMilli(number*byAll.slot()), n)
			return err
		})
	for _, edge := range edges {
		err = cmp.Or(err, calls(ctx, db, edge, time.UTC, func(c Call) error {
			add(c.StartedAt, countOf(c))
			return nil
		}))
	}
	return out, err
}

func scan(r *sql.Rows, key any) (n counts, err error) {
	into := []any{key}
	for _, column := range n.columns() {
		into = append(into, column)
	}
	return n, r.Scan(into...)
}

// waiting is a client who called in vain and was not talked to since.
type waiting struct {
	Phone string `json:"phone"`
	// Since is the first of the calls in vain, Last the newest of them, Call its id; Calls
	// is how many.
	Since  time.Time `json:"since"`
	Last   time.Time `json:"last_at"`
	Call   string    `json:"call_id"`
	Calls  int       `json:"calls"`
	Client string    `json:"client"` // what the CRM knew at the newest one
}

// callbacks say what became of the missed calls of a span whose number is known.
type callbacks struct {
	// Called back by us, or talked to because the client called again; how long it took.
	byUs, byClient int
	took           []int64 // seconds, ascending
	open           []waiting
}

// median is how long half of the clients had to wait at most; ok is false where nobody
// was talked to yet.
func (c callbacks) median() (seconds int64, ok bool) {
	n := len(c.took)
	if n == 0 {
		return 0, false
	}
	return (c.took[(n-1)/2] + c.took[n/2]) / 2, true
}

// followed looks what came after the missed calls of the span.
func followed(ctx context.Context, db *sql.DB, s span, zone *time.Location) (callbacks, error) {
	var out callbacks
	args := []any{s.project, s.since, s.until}
	err := rows(ctx, db, `SELECT (next_at - started_at) / 1000, next_by = 'outbound' FROM calls INDEXED BY calls_followed
		WHERE project = ? AND started_at >= ? AND started_at < ? AND missed = 1 AND next_at <> 0`, args, func(r *sql.Rows) error {
		var took int64
		var us bool
		if err := r.Scan(&took, &us); err != nil {
			return err
		}
		if us {
			out.byUs++
		} else {
			out.byClient++
		}
		out.took = append(out.took, took)
		return nil
	})
	open := map[string]*waiting{}
	err = cmp.Or(err, rows(ctx, db, `SELECT started_at, phone, client, id FROM calls INDEXED BY calls_open
		WHERE project = ? AND started_at >= ? AND started_at < ? AND missed = 1 AND next_at = 0 ORDER BY started_at, phone, client, id`, args, func(r *sql.Rows) error {
		var started int64
		var phone, client, id string
		if err := r.Scan(&started, &phone, &client, &id); err != nil {
			return err
		}
		at := time.UnixMilli(started).In(zone)
		w := open[phone]
		if w == nil {
			w = &waiting{Phone: phone, Since: at}
			open[phone] = w
		}
		w.Last, w.Call, w.Calls, w.Client = at, id, w.Calls+1, client
		return nil
	}))
	slices.Sort(out.took)
	for _, phone := range slices.Sorted(maps.Keys(open)) {
		out.open = append(out.open, *open[phone])
	}
	slices.SortStableFunc(out.open, func(a, b waiting) int { return b.Last.Compare(a.Last) })
	return out, err
}

func rows(ctx context.Context, db *sql.DB, query string, args []any, row func(*sql.Rows) error) error {
	r, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return fmt.Errorf("ask the read model: %w", err)
	}
	defer r.Close()
	for r.Next() {
		if err := row(r); err != nil {
			return fmt.Errorf("read the read model: %w", err)
		}
	}
	return r.Err()
}

func sourceParts(key string) (parts [3]string) {
	_ = json.Unmarshal([]byte(key), &parts) // written by sourceKey
	return parts
}
