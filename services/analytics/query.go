package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"time"
)

const columns = `id, started_at, direction, outcome, client, phone, employee, source, medium, campaign, waiting_s, talk_s, rule, state, recording, next_at, next_by`

// calls gives every finished call of the span, the oldest first.
func calls(ctx context.Context, tx *sql.Tx, s span, zone *time.Location, each func(Call) error) error {
	return rows(ctx, tx, "SELECT "+columns+` FROM calls WHERE project = ? AND started_at >= ? AND started_at < ? AND final = 1
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

// counted gives what is summed up of every finished call of the spans, in no order.
func counted(ctx context.Context, tx *sql.Tx, spans []span, each func(at int64, c Call)) error {
	for _, s := range spans {
		err := rows(ctx, tx, `SELECT started_at, direction, outcome, client, employee, source, medium, campaign, waiting_s, talk_s FROM calls
			WHERE project = ? AND started_at >= ? AND started_at < ? AND final = 1`, []any{s.project, s.since, s.until}, func(r *sql.Rows) error {
			var at int64
			var c Call
			err := r.Scan(&at, &c.Direction, &c.Outcome, &c.Client, &c.Employee, &c.Source, &c.Medium, &c.Campaign, &c.Waiting, &c.Talk)
			each(at, c)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// timed gives the sums of all calls of the span by the quarter of an hour that they began
// in, and single calls where it begins or ends inside one.
func timed(ctx context.Context, tx *sql.Tx, s span, each func(at int64, n counts)) error {
	in, edges := s.whole(quarter)
	first, last := int64(always), int64(ever)
	if in.from != always {
		first = floor(in.from, quartersOfSlot)
	}
	if in.to != ever {
		last = ceil(in.to, quartersOfSlot)
	}
	err := rows(ctx, tx, "SELECT slot, quarters FROM slots WHERE project = ? AND slot >= ? AND slot < ?", []any{s.project, first, last}, func(r *sql.Rows) error {
		var number int64
		var kept sql.RawBytes
		var sums quarters
		if err := cmp.Or(r.Scan(&number, &kept), sums.read(kept)); err != nil {
			return err
		}
		for n := range sums {
			if at := number*quartersOfSlot + int64(n); at >= in.from && at < in.to && sums[n].Calls != 0 {
				each(at*quarter, sums[n])
			}
		}
		return nil
	})
	return cmp.Or(err, counted(ctx, tx, edges, func(at int64, c Call) { each(at, countOf(c)) }))
}

const sums = `sum(calls), sum(answered), sum(missed), sum(voicemail), sum(outbound), sum(outbound_answered), sum(internal),
	sum(new), sum(known), sum(hidden), sum(talk_s), sum(waiting_s)`

// groups are the sums of a span by their key.
type groups map[string]counts

// grouped sums the calls of the span up by each of the kinds.
func grouped(ctx context.Context, tx *sql.Tx, s span, kinds ...kind) (map[kind]groups, error) {
	in, edges := s.whole(slot)
	before, together, after := in.spread()
	out := map[kind]groups{}
	for _, k := range kinds {
		out[k] = groups{}
		err := rows(ctx, tx, "SELECT key, "+sums+` FROM (
			SELECT * FROM tallies WHERE project = ?1 AND kind = ?2 AND slots = 1 AND slot >= ?3 AND slot < ?4 UNION ALL
			SELECT * FROM tallies WHERE project = ?1 AND kind = ?2 AND slots = ?9 AND slot >= ?5 AND slot < ?6 UNION ALL
			SELECT * FROM tallies WHERE project = ?1 AND kind = ?2 AND slots = 1 AND slot >= ?7 AND slot < ?8) GROUP BY key HAVING sum(calls) > 0`,
			[]any{s.project, int(k), before.from, before.to, together.from, together.to, after.from, after.to, many}, func(r *sql.Rows) error {
				var key string
				var n counts
				into := []any{&key}
				for _, column := range n.columns() {
					into = append(into, column)
				}
				err := r.Scan(into...)
				out[k][key] = n
				return err
			})
		if err != nil {
			return nil, err
		}
	}
	return out, counted(ctx, tx, edges, func(_ int64, c Call) {
		for k, by := range out {
			if key, ok := k.keyOf(c); ok {
				n := by[key]
				n.add(countOf(c), 1)
				by[key] = n
			}
		}
	})
}

func rows(ctx context.Context, tx *sql.Tx, query string, args []any, row func(*sql.Rows) error) error {
	r, err := tx.QueryContext(ctx, query, args...)
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
