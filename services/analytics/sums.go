package analytics

import (
	"github.com/ringbridge/ringbridge/pkg/view"
)

// count moves a call from the sums that it was in to those that it is in.
func count(tx *view.Tx, project string, was, now record) error {
	if was.final == now.final && was.StartedAt.Equal(now.StartedAt) && countOf(was.Call) == countOf(now.Call) &&
		was.Employee == now.Employee && was.Source == now.Source && was.Medium == now.Medium && was.Campaign == now.Campaign {
		return nil
	}
	if err := countAll(tx, project, was, now); err != nil {
		return err
	}
	return countKeys(tx, project, was, now)
}

// signed are the two forms of a call as the sums see them: one goes, one comes.
func signed(was, now record, each func(c record, sign int64)) {
	if was.final {
		each(was, -1)
	}
	if now.final {
		each(now, 1)
	}
}

func countAll(tx *view.Tx, project string, was, now record) error {
	changed := map[int64]*quarters{}
	signed(was, now, func(c record, sign int64) {
		at := c.StartedAt.UnixMilli()
		number := floor(at, slot)
		if changed[number] == nil {
			changed[number] = &quarters{}
		}
		changed[number][floor(at, quarter)-number*quartersOfSlot].add(countOf(c.Call), sign)
	})
	for number, more := range changed {
		var kept []byte
		if _, err := tx.Row("SELECT quarters FROM slots WHERE project = ? AND slot = ?", []any{project, number}, &kept); err != nil {
			return err
		}
		var sums quarters
		if err := sums.read(kept); err != nil {
			return err
		}
		for n := range sums {
			sums[n].add(more[n], 1)
		}
		if _, err := tx.Exec("INSERT INTO slots VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET quarters = excluded.quarters", project, number, sums.bytes()); err != nil {
			return err
		}
	}
	return nil
}

// addUp adds to the sums of a slot and of the many that it is among; its columns are those
// of [counts.columns].
const addUp = `INSERT INTO tallies VALUES
	(?1, ?2, 1, ?3, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17),
	(?1, ?2, ?18, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17) ON CONFLICT DO UPDATE SET
	calls = calls + excluded.calls, answered = answered + excluded.answered, missed = missed + excluded.missed,
	voicemail = voicemail + excluded.voicemail, outbound = outbound + excluded.outbound,
	outbound_answered = outbound_answered + excluded.outbound_answered, internal = internal + excluded.internal,
	new = new + excluded.new, known = known + excluded.known, hidden = hidden + excluded.hidden,
	talk_s = talk_s + excluded.talk_s, waiting_s = waiting_s + excluded.waiting_s`

func countKeys(tx *view.Tx, project string, was, now record) error {
	type place struct {
		kind kind
		slot int64
		key  string
	}
	moved := map[place]counts{}
	signed(was, now, func(c record, sign int64) {
		for _, k := range []kind{byEmployee, bySource} {
			if key, ok := k.keyOf(c.Call); ok {
				at := place{k, floor(c.StartedAt.UnixMilli(), slot), key}
				sum := moved[at]
				sum.add(countOf(c.Call), sign)
				moved[at] = sum
			}
		}
	})
	for at, sum := range moved {
		if sum == (counts{}) {
			continue
		}
		args := []any{project, int(at.kind), at.slot, floor(at.slot, many), at.key}
		for _, n := range sum.columns() {
			args = append(args, *n)
		}
		args = append(args, many)
		if _, err := tx.Exec(addUp, args...); err != nil {
			return err
		}
	}
	return nil
}
