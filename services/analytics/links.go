package analytics

import (
	"github.com/ringbridge/ringbridge/pkg/view"
)

// This file keeps what came after a missed call: when its client was talked to next, and
// when the client called in vain next.

// moment is where a call stands among the calls of its client.
type moment struct {
	phone  string
	at     int64
	number int64
}

// links is one event on its way into what came after missed calls.
type links struct {
	tx      *view.Tx
	project string
	moved   map[waitsPlace]*moved
}

type waitsPlace struct {
	slot int64
	by   string
}

// moved are waits that are no more, and that are new.
type moved struct{ gone, come []int64 }

// link keeps the links of a call that changed, and those that lead to it.
func link(tx *view.Tx, project string, was, now record) error {
	talkedBefore, missedBefore := was.final && talked(was.Call), was.final && missed(was.Call)
	talks, misses := now.final && talked(now.Call), now.final && missed(now.Call)
	before := moment{was.Phone, was.StartedAt.UnixMilli(), now.number}
	after := moment{now.Phone, now.StartedAt.UnixMilli(), now.number}
	if before == after && talkedBefore == talks && missedBefore == misses && was.Direction == now.Direction {
		return nil
	}
	l := links{tx, project, map[waitsPlace]*moved{}}
	if missedBefore || misses {
		if err := l.own(before, after, was.next, missedBefore, misses); err != nil {
			return err
		}
	}
	if talkedBefore {
		if err := l.talked(before); err != nil {
			return err
		}
	}
	if talks {
		if err := l.talked(after); err != nil {
			return err
		}
	}
	return l.keep()
}

// own sets the links of the call itself, and those of the missed calls before it.
func (l links) own(before, after moment, was talk, missedBefore, misses bool) error {
	var next talk
	var again int64
	var err error
	if misses {
		if next, err = l.talkFrom(after.phone, after.at+1); err != nil {
			return err
		}
		if again, err = l.missedAfter(after); err != nil {
			return err
		}
	}
	if _, err := l.tx.Exec("UPDATE calls SET next_at = ?, next_by = ?, again_at = ? WHERE number = ?", next.at, next.by, again, after.number); err != nil {
		return err
	}
	if missedBefore {
		l.wait(before.at, was, false)
		if err := l.missed(before); err != nil {
			return err
		}
	}
	if misses {
		l.wait(after.at, next, true)
		return l.missed(after)
	}
	return nil
}

// missed tells the missed call before a moment which one came next. Only that one can
// have changed when a call in vain at that moment came or went.
func (l links) missed(m moment) error {
	last := moment{phone: m.phone}
	ok, err := l.tx.Row(`SELECT started_at, number FROM calls WHERE project = ? AND phone = ? AND missed = 1 AND (started_at, number) < (?, ?)
		ORDER BY started_at DESC, number DESC LIMIT 1`, []any{l.project, m.phone, m.at, m.number}, &last.at, &last.number)
	if err != nil || !ok {
		return err
	}
	again, err := l.missedAfter(last)
	if err != nil {
		return err
	}
	_, err = l.tx.Exec("UPDATE calls SET again_at = ? WHERE number = ?", again, last.number)
	return err
}

// missedAfter is when the client called in vain next after a moment, 0 where there is none.
func (l links) missedAfter(m moment) (at int64, err error) {
	_, err = l.tx.Row(`SELECT started_at FROM calls WHERE project = ? AND phone = ? AND missed = 1 AND (started_at, number) > (?, ?)
		ORDER BY started_at, number LIMIT 1`, []any{l.project, m.phone, m.at, m.number}, &at)
	return at, err
}

// talked tells the missed calls between the talk before a moment and that moment which
// talk came next: the first one from the moment on. Only those can have changed when a
// talk at that moment came or went.
func (l links) talked(m moment) error {
	before := int64(always)
	_, err := l.tx.Row(`SELECT started_at FROM calls WHERE project = ? AND phone = ? AND talked = 1 AND started_at < ?
		ORDER BY started_at DESC LIMIT 1`, []any{l.project, m.phone, m.at}, &before)
	if err != nil {
		return err
	}
	next, err := l.talkFrom(m.phone, m.at)
	if err != nil {
		return err
	}
	for {
		var number, at int64
		var was talk
		ok, err := l.tx.Row(`SELECT number, started_at, next_at, next_by FROM calls WHERE project = ? AND phone = ? AND missed = 1
			AND started_at >= ? AND started_at < ? AND (next_at <> ? OR next_by <> ?) LIMIT 1`,
			[]any{l.project, m.phone, before, m.at, next.at, next.by}, &number, &at, &was.at, &was.by)
		if err != nil || !ok {
			return err
		}
		if _, err := l.tx.Exec("UPDATE calls SET next_at = ?, next_by = ? WHERE number = ?", next.at, next.by, number); err != nil {
			return err
		}
		l.wait(at, was, false)
		l.wait(at, next, true)
	}
}

// talkFrom is the first talk with a client from a moment on. Of two at once it is ours.
func (l links) talkFrom(phone string, at int64) (next talk, err error) {
	_, err = l.tx.Row(`SELECT started_at, direction FROM calls WHERE project = ? AND phone = ? AND talked = 1 AND started_at >= ?
		ORDER BY started_at, direction DESC LIMIT 1`, []any{l.project, phone, at}, &next.at, &next.by)
	return next, err
}

// wait notes that a missed call of that moment was followed by a talk, or is not any more.
func (l links) wait(at int64, next talk, is bool) {
	if next.at == 0 {
		return
	}
	place := waitsPlace{floor(at, slot), next.by}
	m := l.moved[place]
	if m == nil {
		m = &moved{}
		l.moved[place] = m
	}
	seconds := (next.at - at) / 1000
	if is {
		m.come = append(m.come, seconds)
	} else {
		m.gone = append(m.gone, seconds)
	}
}

// keep writes the waits that changed.
func (l links) keep() error {
	for place, m := range l.moved {
		var kept []byte
		if _, err := l.tx.Row("SELECT seconds FROM waits WHERE project = ? AND slot = ? AND by = ?", []any{l.project, place.slot, place.by}, &kept); err != nil {
			return err
		}
		w, err := readWaits(kept)
		if err != nil {
			return err
		}
		for _, s := range m.come {
			w = w.with(s)
		}
		for _, s := range m.gone {
			w = w.without(s)
		}
		if _, err := l.tx.Exec("INSERT INTO waits VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET seconds = excluded.seconds", l.project, place.slot, place.by, w.bytes()); err != nil {
			return err
		}
	}
	return nil
}
