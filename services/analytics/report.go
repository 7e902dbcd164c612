package analytics

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"
)

// This file shapes what the API answers.

type list struct {
	Items any  `json:"items"`
	Total *int `json:"total,omitempty"`
}

// whole is everything that the analytics page shows of a span, as of one moment.
type whole struct {
	Summary   totals `json:"summary"`
	Days      list   `json:"days"`
	Hours     list   `json:"hours"`
	Weekdays  list   `json:"weekdays"`
	Employees list   `json:"employees"`
	Sources   list   `json:"sources"`
	Missed    list   `json:"missed"`
}

type totals struct {
	counts
	CalledBack  int `json:"called_back"`
	CalledAgain int `json:"called_again"`
	// NotCalledBack counts clients, not calls.
	NotCalledBack int    `json:"not_called_back"`
	Median        *int64 `json:"median_callback_s,omitempty"`
}

// report answers with all in one, so that nothing is read twice for a page.
func report(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	r, err := rhythmOf(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	after, err := followed(ctx, tx, q.span)
	if err != nil {
		return nil, err
	}
	open, err := missedOnes(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	by, err := grouped(ctx, tx, q.span, byEmployee, bySource)
	if err != nil {
		return nil, err
	}
	return whole{sumsOf(r.all, after, *open.Total), r.days(), r.hours(), r.weekdays(), by[byEmployee].employees(), by[bySource].sources(), open}, nil
}

func summary(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	r, err := rhythmOf(ctx, tx, q)
	if err != nil {
		return nil, err
	}
	after, err := followed(ctx, tx, q.span)
	if err != nil {
		return nil, err
	}
	q.limit = 0
	open, err := missedOnes(ctx, tx, q)
	return sumsOf(r.all, after, *open.Total), err
}

func sumsOf(n counts, after callbacks, open int) totals {
	out := totals{n, after.byUs, after.byClient, open, nil}
	if m, ok := after.median(); ok {
		out.Median = &m
	}
	return out
}

// rhythm is when the calls of a span began, in the project's time.
type rhythm struct {
	all       counts
	byDay     map[int64]*counts // by its number since 1970
	byHour    [24]counts
	byWeekday [7]counts // Monday first, as in ISO 8601
}

const secondsOfDay = 24 * 60 * 60

func rhythmOf(ctx context.Context, tx *sql.Tx, q question) (rhythm, error) {
	r := rhythm{byDay: map[int64]*counts{}}
	c := clock{zone: q.zone}
	err := timed(ctx, tx, q.span, func(at int64, n counts) {
		s := c.local(floor(at, 1000))
		day := floor(s, secondsOfDay)
		if r.byDay[day] == nil {
			r.byDay[day] = &counts{}
		}
		r.byDay[day].add(n, 1)
		r.byHour[(s-day*secondsOfDay)/3600].add(n, 1)
	})
	for day, n := range r.byDay {
		r.all.add(*n, 1)
		weekday := day + 3 // 1970 began on a Thursday
		r.byWeekday[weekday-7*floor(weekday, 7)].add(*n, 1)
	}
	return r, err
}

// clock tells the time of a zone. It remembers how far the zone is from UTC and for how
// long: there is a moment to be told for every quarter of an hour.
type clock struct {
	zone         *time.Location
	offset       int64
	since, until int64
}

// local is what a clock in the zone shows, in seconds since it showed 1970.
func (c *clock) local(unix int64) int64 {
	if unix < c.since || unix >= c.until {
		at := time.Unix(unix, 0).In(c.zone)
		_, offset := at.Zone()
		from, to := at.ZoneBounds()
		c.offset, c.since, c.until = int64(offset), always, ever
		if !from.IsZero() {
			c.since = from.Unix()
		}
		if !to.IsZero() {
			c.until = to.Unix()
		}
	}
	return unix + c.offset
}

func (r rhythm) days() list {
	type item struct {
		Day string `json:"day"`
		counts
	}
	items := []item{}
	for _, day := range slices.Sorted(maps.Keys(r.byDay)) {
		items = append(items, item{time.Unix(day*secondsOfDay, 0).UTC().Format(time.DateOnly), *r.byDay[day]})
	}
	return list{Items: items}
}

func (r rhythm) hours() list {
	type item struct {
		Hour int `json:"hour"`
		counts
	}
	items := []item{}
	for hour, n := range r.byHour {
		items = append(items, item{hour, n})
	}
	return list{Items: items}
}

func (r rhythm) weekdays() list {
	type item struct {
		Weekday int `json:"weekday"`
		counts
	}
	items := []item{}
	for n, sum := range r.byWeekday {
		items = append(items, item{n + 1, sum})
	}
	return list{Items: items}
}

// days lists the days with calls, the earliest first.
func days(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	r, err := rhythmOf(ctx, tx, q)
	return r.days(), err
}

// hours lists the 24 hours of the project's day.
func hours(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	r, err := rhythmOf(ctx, tx, q)
	return r.hours(), err
}

// weekdays lists the seven days of the week as ISO 8601 numbers them: Monday is 1.
func weekdays(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	r, err := rhythmOf(ctx, tx, q)
	return r.weekdays(), err
}

func employees(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	by, err := grouped(ctx, tx, q.span, byEmployee)
	return by[byEmployee].employees(), err
}

// employees are listed by how many calls they had.
func (g groups) employees() list {
	type item struct {
		Employee string `json:"employee"`
		counts
	}
	items := []item{}
	for name, n := range g {
		items = append(items, item{name, n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Employee, b.Employee))
	})
	return list{Items: items}
}

func sources(ctx context.Context, tx *sql.Tx, q question) (any, error) {
	by, err := grouped(ctx, tx, q.span, bySource)
	return by[bySource].sources(), err
}

// sources are listed by how many incoming calls they brought.
func (g groups) sources() list {
	type item struct {
		Source   string `json:"source"`
		Medium   string `json:"medium"`
		Campaign string `json:"campaign"`
		counts
	}
	items := []item{}
	for key, n := range g {
		parts := sourceParts(key)
		items = append(items, item{parts[0], parts[1], parts[2], n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Medium, b.Medium), cmp.Compare(a.Campaign, b.Campaign))
	})
	return list{Items: items}
}

// missedOnes are the clients who wait to be called back, the latest first.
func missedOnes(ctx context.Context, tx *sql.Tx, q question) (list, error) {
	some, total, err := waitingOnes(ctx, tx, q.span, q.zone, q.limit)
	return list{append([]waiting{}, some...), &total}, err
}
