package classifier

import (
	"maps"
	"slices"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// What a report may carry on through the pipeline. The stored request holds every byte
// of it; a call's file and the CRM's fields have no use for more.
const (
	longestText  = 1000 // characters of one value
	longestLink  = 4000 // of an address; a longer one is no link any more when cut
	mostExtra    = 100  // parameters beside those we know, the first by name
	longestExtra = 100  // characters of such a parameter's name
)

// bound cuts what is longer than any use for it.
func bound(c event.Call) event.Call {
	t := &c.Traffic
	for _, text := range []*string{
		&c.Status, &c.ClientName, &c.Line, &c.AnsweredOn, &c.Extension, &c.Rating, &c.Department, &c.Scheme, &c.Pool, &c.InsertionType,
		&t.Source, &t.Medium, &t.Campaign, &t.Content, &t.Term, &t.ClientID, &t.VisitorIP, &t.UserAgent,
	} {
		*text = cut(*text, longestText)
	}
	for _, page := range []*string{&t.Landing, &t.Referrer} {
		*page = cut(*page, longestLink)
	}
	for _, link := range []*string{&c.Recording, &c.Card} {
		if len(*link) > longestLink {
			*link = ""
		}
	}
	if len(c.Extra) == 0 {
		return c
	}
	extra := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(c.Extra)) {
		if len(extra) == mostExtra {
			break
		}
		if len(name) <= longestExtra {
			extra[name] = cut(c.Extra[name], longestText)
		}
	}
	c.Extra = extra
	return c
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	runes := []rune(s)
	return string(runes[:min(len(runes), most)])
}
