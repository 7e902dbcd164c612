package pages

import (
	"cmp"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"
)

// This file makes charts and tables of the report.

// table is lines with a bar each.
type table struct {
	Series []series
	Lines  []line
	// Rest counts lines that are left out; the last line shown is their sum.
	Rest int
}

type line struct {
	Name string
	Bar  template.HTML
	counted
}

// mostLines are shown of a table: a campaign's name is what somebody wrote into a link,
// so there can be any number of them.
const mostLines = 15

func (v *visit) draw(d *numbersData) {
	outcomes := []series{{"answered", v.T("numbers.answered")}, {"missed", v.T("numbers.missed")}, {"voicemail", v.T("numbers.voicemail")}}
	clients := []series{{"new", v.T("numbers.new")}, {"known", v.T("numbers.known")}}
	byOutcome := func(c counted) []int { return []int{c.Answered, c.Missed, c.Voicemail} }
	byClient := func(c counted) []int { return []int{c.New, c.Known} }

	each, over := v.stretches(d)
	days := chart{ID: "days", Title: v.T("numbers.by." + over), Over: v.T("numbers.over." + over), Series: outcomes}
	fresh := chart{ID: "clients", Title: v.T("numbers.clients"), Over: days.Over, Series: clients}
	for _, s := range each {
		days.Columns = append(days.Columns, column{s.label, s.name, byOutcome(s.counted)})
		fresh.Columns = append(fresh.Columns, column{s.label, s.name, byClient(s.counted)})
	}
	hours := chart{ID: "hours", Title: v.T("numbers.by.hour"), Over: v.T("numbers.over.hour"), Series: outcomes}
	for _, h := range d.Hours.Items {
		name := fmt.Sprintf("%d:00–%d:59", h.Hour, h.Hour)
		hours.Columns = append(hours.Columns, column{fmt.Sprint(h.Hour), name, byOutcome(h.counted)})
	}
	week := chart{ID: "week", Title: v.T("numbers.by.weekday"), Over: v.T("numbers.over.weekday"), Series: outcomes}
	for _, w := range d.Weekdays.Items {
		name := v.T(fmt.Sprintf("numbers.weekday.%d", w.Weekday))
		week.Columns = append(week.Columns, column{v.T(fmt.Sprintf("numbers.wd.%d", w.Weekday)), name, byOutcome(w.counted)})
	}
	for _, c := range []chart{days, fresh, hours, week} {
		c.Number, c.Total = v.Number, v.T("numbers.total")
		c.Note = v.T("numbers.note", v.most(c))
		d.Columns = append(d.Columns, c)
	}

	d.Employees.Series = []series{{"answered", v.T("numbers.answered")}, {"outbound", v.T("numbers.outbound")}}
	for _, e := range d.report.Employees.Items {
		d.Employees.Lines = append(d.Employees.Lines, line{Name: e.Employee, counted: e.counted})
	}
	d.Employees.bars(func(c counted) []int { return []int{c.Answered, c.Outbound} })
	sources, campaigns := map[string]counted{}, map[string]counted{}
	for _, s := range d.report.Sources.Items {
		put(sources, cmp.Or(joined(s.Source, s.Medium), v.T("numbers.nosource")), s.counted)
		if s.Campaign != "" {
			put(campaigns, s.Campaign+" ("+cmp.Or(joined(s.Source, s.Medium), "—")+")", s.counted)
		}
	}
	d.Sources = v.ranked(sources, outcomes)
	d.Sources.bars(byOutcome)
	d.Campaigns = v.ranked(campaigns, outcomes)
	d.Campaigns.bars(byOutcome)
}

func put(by map[string]counted, name string, c counted) {
	n := by[name]
	n.add(c)
	by[name] = n
}

func joined(source, medium string) string {
	return strings.Join(slices.DeleteFunc([]string{source, medium}, func(s string) bool { return s == "" }), " / ")
}

// ranked are the lines with most calls first, and the rest in one.
func (v *visit) ranked(by map[string]counted, names []series) table {
	t := table{Series: names}
	for name, n := range by {
		t.Lines = append(t.Lines, line{Name: name, counted: n})
	}
	slices.SortFunc(t.Lines, func(a, b line) int { return cmp.Or(cmp.Compare(b.Calls, a.Calls), cmp.Compare(a.Name, b.Name)) })
	if len(t.Lines) > mostLines+1 {
		t.Rest = len(t.Lines) - mostLines
		rest := line{Name: v.Count("numbers.rest", t.Rest)}
		for _, l := range t.Lines[mostLines:] {
			rest.add(l.counted)
		}
		t.Lines = append(t.Lines[:mostLines], rest)
	}
	return t
}

// bars draws the lines, the longest over all the place there is.
func (t *table) bars(values func(counted) []int) {
	most := 0
	for _, l := range t.Lines {
		most = max(most, column{Values: values(l.counted)}.Total())
	}
	for i, l := range t.Lines {
		t.Lines[i].Bar = bar(most, t.Series, values(l.counted))
	}
}

// most names the highest column.
func (v *visit) most(c chart) string {
	highest := slices.MaxFunc(c.Columns, func(a, b column) int { return cmp.Compare(a.Total(), b.Total()) })
	return c.told(highest)
}

// stretch is a day, a week or a month of the chart.
type stretch struct {
	label, name string
	counted
}

// Beyond these many days a column is a week, and a month.
const (
	mostDays  = 62
	mostWeeks = 400
)

// stretches are the period's days, also those without calls, or where they are too many
// to tell apart its weeks or months; over says which.
func (v *visit) stretches(d *numbersData) (out []stretch, over string) {
	by := map[string]counted{}
	for _, item := range d.Days.Items {
		by[item.Day] = item.counted
	}
	last := d.To
	if now := v.Local(v.site.Now()); last.After(now) && !d.From.After(now) {
		last = now // there is nothing to see of the days to come
	}
	n := int(last.Sub(d.From).Hours()/24+0.5) + 1 // a day of another length is one too
	over = "day"
	if n > mostDays {
		over = "week"
	}
	if n > mostWeeks {
		over = "month"
	}
	for day := d.From; !day.After(last); day = day.AddDate(0, 0, 1) {
		begins := over == "day" || over == "week" && day.Weekday() == time.Monday || over == "month" && day.Day() == 1
		if begins || len(out) == 0 {
			s := stretch{label: v.short(day), name: v.Date(day)}
			switch over {
			case "week":
				s.name = v.T("numbers.weekof", v.Date(day))
			case "month":
				s.label = fmt.Sprintf("%02d.%02d", day.Month(), day.Year()%100)
				s.name = strings.TrimSpace(strings.TrimPrefix(v.Date(day), fmt.Sprint(day.Day())))
			}
			out = append(out, s)
		}
		out[len(out)-1].add(by[day.Format(time.DateOnly)])
	}
	return out, over
}

// short is a day below a column.
func (v *visit) short(day time.Time) string {
	if v.Lang == "en" {
		return day.Format("2 Jan")
	}
	return day.Format("02.01")
}
