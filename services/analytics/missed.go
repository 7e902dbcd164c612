package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"time"
)

// This file tells what became of missed calls whose number is known.

// callbacks are the missed calls of a span that were followed by a talk.
type callbacks struct {
	// Called back by us, or talked to because the client called again; how long it took.
	byUs, byClient int
	took           []waits
}

// median is how long half of the clients had to wait at most; ok is false where nobody
// was talked to yet.
func (c callbacks) median() (seconds int64, ok bool) {
	n := c.byUs + c.byClient
	if n == 0 {
		return 0, false
	}
	return (nth(c.took, (n-1)/2) + nth(c.took, n/2)) / 2, true
}

func (c *callbacks) add(by string, took waits) {
	if c.took = append(c.took, took); by == "outbound" {
		c.byUs += len(took)
	} else {
		c.byClient += len(took)
	}
}

// followed looks which missed calls of the span were followed by a talk.
func followed(ctx context.Context, tx *sql.Tx, s span) (out callbacks, err error) {
	in, edges := s.whole(slot)
	err = rows(ctx, tx, "SELECT by, seconds FROM waits WHERE project = ? AND slot >= ? AND slot < ?", []any{s.project, in.from, in.to}, func(r *sql.Rows) error {
		var by string
		var kept sql.RawBytes
		if err := r.Scan(&by, &kept); err != nil {
			return err
		}
		took, err := readWaits(kept)
		out.add(by, took)
		return err
	})
	for _, edge := range edges {
		by := map[string]waits{}
		err = cmp.Or(err, rows(ctx, tx, `SELECT (next_at - started_at) / 1000, next_by FROM calls INDEXED BY calls_followed
			WHERE project = ? AND started_at >= ? AND started_at < ? AND missed = 1 AND next_at <> 0`, []any{s.project, edge.since, edge.until}, func(r *sql.Rows) error {
			var took int64
			var who string
			err := r.Scan(&took, &who)
			by[who] = append(by[who], took)
			return err
		}))
		for who, took := range by {
			slices.Sort(took)
			out.add(who, took)
		}
	}
	return out, err
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

// newestOpen are the newest calls in vain of clients who wait, one of each: the span's
// last one is the client's last, or the next one is after the span.
const (
	newestOpen = ` FROM calls INDEXED BY calls_open
		WHERE project = ?1 AND started_at >= ?2 AND started_at < ?3 AND missed = 1 AND next_at = 0 AND again_at = 0`
	newestOpenThen = ` FROM calls INDEXED BY calls_open_before
		WHERE project = ?1 AND again_at >= ?3 AND started_at >= ?2 AND started_at < ?3 AND missed = 1 AND next_at = 0 AND again_at <> 0`
)

// waitingOnes are the clients who called in vain in the span and were not talked to
// since, the one who called last first, at most so many; and how many there are.
func waitingOnes(ctx context.Context, tx *sql.Tx, s span, zone *time.Location, limit int) (list []waiting, total int, err error) {
	args := []any{s.project, s.since, s.until}
	err = tx.QueryRowContext(ctx, "SELECT (SELECT count(*)"+newestOpen+") + (SELECT count(*)"+newestOpenThen+")", args...).Scan(&total)
	if err != nil {
		return nil, 0, fmt.Errorf("ask the read model: %w", err)
	}
	by := map[string]*waiting{}
	const ordered = " ORDER BY started_at DESC, phone LIMIT ?4)"
	err = rows(ctx, tx, `WITH newest AS (SELECT * FROM (SELECT started_at, phone`+newestOpen+ordered+`
			UNION ALL SELECT * FROM (SELECT started_at, phone`+newestOpenThen+ordered+` ORDER BY 1 DESC, 2 LIMIT ?4)
		SELECT c.started_at, c.phone, c.client, c.id FROM newest CROSS JOIN calls c INDEXED BY calls_missed_by_phone
		WHERE c.project = ?1 AND c.phone = newest.phone AND c.started_at >= ?2 AND c.started_at < ?3 AND c.missed = 1 AND c.next_at = 0`,
		append(args, limit), func(r *sql.Rows) error {
			var started int64
			var phone, client, id string
			if err := r.Scan(&started, &phone, &client, &id); err != nil {
				return err
			}
			at := time.UnixMilli(started).In(zone)
			w := by[phone]
			if w == nil {
				w = &waiting{Phone: phone, Since: at, Last: at, Call: id, Client: client}
				by[phone] = w
			}
			w.Calls++
			if at.Before(w.Since) {
				w.Since = at
			}
			if cmp.Or(at.Compare(w.Last), cmp.Compare(client, w.Client), cmp.Compare(id, w.Call)) > 0 {
				w.Last, w.Client, w.Call = at, client, id
			}
			return nil
		})
	for _, w := range by {
		list = append(list, *w)
	}
	slices.SortFunc(list, func(a, b waiting) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Phone, b.Phone)) })
	return list, total, err
}
