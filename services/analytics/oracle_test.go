package analytics

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"pgregory.net/rapid"
)

// someZones are away from UTC by whole hours, halves and quarters; one changes its clocks
// by half an hour.
var someZones = []string{"Europe/Kyiv", "UTC", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Kiritimati"}

// plainReport works a report out from the calls of its span, one by one, as somebody
// would who has only the export.
func plainReport(all []Call, q question) map[string]any {
	var sum counts
	days, people, from := map[string]counts{}, map[string]counts{}, map[[3]string]counts{}
	hours, weekdays := make([]counts, 24), make([]counts, 7)
	for _, c := range all {
		at, n := c.StartedAt.In(q.zone), countOf(c)
		sum.add(n, 1)
		hours[at.Hour()].add(n, 1)
		weekdays[(int(at.Weekday())+6)%7].add(n, 1)
		more(days, at.Format(time.DateOnly), n)
		if c.Employee != "" {
			more(people, c.Employee, n)
		}
		if c.Direction == "inbound" {
			more(from, [3]string{c.Source, c.Medium, c.Campaign}, n)
		}
	}
	byCalls := func(a, b map[string]any) int { return cmp.Compare(b["calls"].(float64), a["calls"].(float64)) }
	var inDays, inHours, inWeek, ofPeople, ofSources []map[string]any
	for _, day := range slices.Sorted(maps.Keys(days)) {
		inDays = append(inDays, named(days[day], "day", day))
	}
	for n, sum := range hours {
		inHours = append(inHours, named(sum, "hour", n))
	}
	for n, sum := range weekdays {
		inWeek = append(inWeek, named(sum, "weekday", n+1))
	}
	for _, name := range slices.Sorted(maps.Keys(people)) {
		ofPeople = append(ofPeople, named(people[name], "employee", name))
	}
	slices.SortStableFunc(ofPeople, byCalls)
	for _, key := range slices.SortedFunc(maps.Keys(from), func(a, b [3]string) int { return slices.Compare(a[:], b[:]) }) {
		ofSources = append(ofSources, named(from[key], "source", key[0], "medium", key[1], "campaign", key[2]))
	}
	slices.SortStableFunc(ofSources, byCalls)
	summary, missed := plainCallbacks(all, q)
	maps.Copy(summary, named(sum))
	return map[string]any{
		"summary": summary, "missed": missed, "days": inAList(inDays), "hours": inAList(inHours), "weekdays": inAList(inWeek),
		"employees": inAList(ofPeople), "sources": inAList(ofSources),
	}
}

// plainCallbacks works out what became of the missed calls.
func plainCallbacks(all []Call, q question) (summary, missed map[string]any) {
	var took []int64
	byUs, byClient := 0, 0
	open := map[string]waiting{}
	for _, c := range all {
		switch {
		case c.NextBy == "outbound":
			byUs++
		case c.NextBy == "inbound":
			byClient++
		case c.Phone != "" && c.Direction == "inbound" && c.Outcome != "answered":
			w, ok := open[c.Phone]
			if !ok {
				w = waiting{Phone: c.Phone, Since: c.StartedAt.In(q.zone)}
			}
			at := c.StartedAt.In(q.zone)
			if !at.Equal(w.Last) || c.Client+" "+c.ID > w.Client+" "+w.Call { // of two at once the greater word
				w.Client, w.Call = c.Client, c.ID
			}
			w.Last, w.Calls = at, w.Calls+1
			open[c.Phone] = w
		}
		if c.NextAt != nil {
			took = append(took, int64(c.NextAt.Sub(c.StartedAt).Seconds()))
		}
	}
	summary = map[string]any{"called_back": byUs, "called_again": byClient, "not_called_back": len(open)}
	if slices.Sort(took); len(took) > 0 {
		summary["median_callback_s"] = (took[(len(took)-1)/2] + took[len(took)/2]) / 2
	}
	list := slices.SortedFunc(maps.Values(open), func(a, b waiting) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Phone, b.Phone)) })
	return summary, map[string]any{"items": append([]waiting{}, list[:min(len(list), q.limit)]...), "total": len(list)}
}

func more[K comparable](sums map[K]counts, key K, n counts) {
	sum := sums[key]
	sum.add(n, 1)
	sums[key] = sum
}

// named are sums with the names of what they are of, as the API writes them.
func named(n counts, names ...any) map[string]any {
	text, _ := json.Marshal(n)
	out := map[string]any{}
	_ = json.Unmarshal(text, &out)
	for i := 0; i < len(names); i += 2 {
		out[names[i].(string)] = names[i+1]
	}
	return out
}

func inAList(all []map[string]any) map[string]any {
	return map[string]any{"items": append([]map[string]any{}, all...)}
}

// asJSON is a value as a reader of the API gets it.
func asJSON(t *rapid.T, value any) (out any) {
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, &out)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}
