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
func report(ctx context.Context, db *sql.DB, q question) (any, error) {
	r, err := rhythmOf(ctx, db, q)
	if err != nil {
		return nil, err
	}
	after, err := followed(ctx, db, q.span, q.zone)
	if err != nil {
		return nil, err
	}
	people, err := employees(ctx, db, q)
	if err != nil {
		return nil, err
	}
	from, err := sources(ctx, db, q)
	if err != nil {
		return nil, err
	}
	return whole{sumsOf(r.all, after), r.days(), r.hours(), r.weekdays(), people.(list), from.(list), openOnes(after, q.limit)}, nil
}

func summary(ctx context.Context, db *sql.DB, q question) (any, error) {
	by, err := grouped(ctx, db, q.span, byAll)
	if err != nil {
		return nil, err
	}
	after, err := followed(ctx, db, q.span, q.zone)
	return sumsOf(by[""], after), err
}

func sumsOf(n counts, after callbacks) totals {
	out := totals{n, after.byUs, after.byClient, len(after.open), nil}
	if m, ok := after.median(); ok {
		out.Median = &m
	}
	return out
}

// rhythm is when the calls of a span began, in the project's time.
type rhythm struct {
	all       counts
	byDay     map[string]counts
	byHour    [24]counts
	byWeekday [7]counts // Monday first, as in ISO 8601
}

func rhythmOf(ctx context.Context, db *sql.DB, q question) (rhythm, error) {
	type hour struct{ day, hour int }
	// A day's number since 1970 in the project's time: cheaper than its name, and there
	// is a row for every quarter of an hour.
	by, err := timed(ctx, db, q.span, func(at time.Time) hour {
		_, offset := at.In(q.zone).Zone()
		s := at.Unix() + int64(offset)
		day := (s - (s%86400+86400)%86400) / 86400
		return hour{int(day), int(s-day*86400) / 3600}
	})
	r := rhythm{byDay: map[string]counts{}}
	days := map[int]counts{}
	for at, n := range by {
		r.all.add(n, 1)
		r.byHour[at.hour].add(n, 1)
		r.byWeekday[((at.day+3)%7+7)%7].add(n, 1) // 1970 began on a Thursday
		sum := days[at.day]
		sum.add(n, 1)
		days[at.day] = sum
	}
	for day, n := range days {
		r.byDay[time.Unix(int64(day)*86400, 0).UTC().Format(time.DateOnly)] = n
	}
	return r, err
}

func (r rhythm) days() list {
	type item struct {
		Day string `json:"day"`
		counts
	}
	items := []item{}
	for _, day := range slices.Sorted(maps.Keys(r.byDay)) {
		items = append(items, item{day, r.byDay[day]})
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
func days(ctx context.Context, db *sql.DB, q question) (any, error) {
	r, err := rhythmOf(ctx, db, q)
	return r.days(), err
}

// hours lists the 24 hours of the project's day.
func hours(ctx context.Context, db *sql.DB, q question) (any, error) {
	r, err := rhythmOf(ctx, db, q)
	return r.hours(), err
}

// weekdays lists the seven days of the week as ISO 8601 numbers them: Monday is 1.
func weekdays(ctx context.Context, db *sql.DB, q question) (any, error) {
	r, err := rhythmOf(ctx, db, q)
	return r.weekdays(), err
}

// employees are listed by how many calls they had.
func employees(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Employee string `json:"employee"`
		counts
	}
	by, err := grouped(ctx, db, q.span, byEmployee)
	items := []item{}
	for name, n := range by {
		items = append(items, item{name, n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Employee, b.Employee))
	})
	return list{Items: items}, err
}

// sources are listed by how many incoming calls they brought.
func sources(ctx context.Context, db *sql.DB, q question) (any, error) {
	type item struct {
		Source   string `json:"source"`
		Medium   string `json:"medium"`
		Campaign string `json:"campaign"`
		counts
	}
	by, err := grouped(ctx, db, q.span, bySource)
	items := []item{}
	for key, n := range by {
		parts := sourceParts(key)
		items = append(items, item{parts[0], parts[1], parts[2], n})
	}
	slices.SortFunc(items, func(a, b item) int {
		return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Source, b.Source), cmp.Compare(a.Medium, b.Medium), cmp.Compare(a.Campaign, b.Campaign))
	})
	return list{Items: items}, err
}

// missedOnes are the clients who wait to be called back, the latest first.
func missedOnes(ctx context.Context, db *sql.DB, q question) (any, error) {
	after, err := followed(ctx, db, q.span, q.zone)
	return openOnes(after, q.limit), err
}

func openOnes(after callbacks, limit int) list {
	total := len(after.open)
	return list{append([]waiting{}, after.open[:min(total, limit)]...), &total}
}
