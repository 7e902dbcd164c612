package pages

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// callStory is one call with everything that happened to it, as the API tells it.
type callStory struct {
	callItem
	Events []struct {
		ID    string          `json:"id"`
		Type  event.Type      `json:"type"`
		Time  time.Time       `json:"time"`
		Words string          `json:"words"`
		Data  json.RawMessage `json:"data"`
	} `json:"events"`
	Commands []storyCommand `json:"commands"`
}

type storyCommand struct {
	ID       string `json:"id"`
	Role     string `json:"role"`
	Kind     string `json:"kind"`
	State    string `json:"state"`
	BitrixID int    `json:"bitrix_id"`
	Error    string `json:"error"`
}

type storyData struct {
	Call  callItem
	Steps []step
	// Again is where a call that is not at its end yet is asked for again; empty for one
	// that is.
	Again string
	// Parked is the entry that waits for a person, if there is one.
	Parked string
	Others string // the client's other calls
	Replay string
}

// step is one moment of a story. What it shows beside title, words and facts depends on
// what it is.
type step struct {
	Kind  string
	Title string
	At    time.Time
	// After is the time since the step before.
	After    string
	Words    string
	Facts    []fact
	Raw      string
	RawID    string
	Rule     *ruleStep
	Commands []commandStep
	Trouble  said
	Remedy   said
	Parked   string
}

// fact is a name with what it says.
type fact struct {
	Name  string
	Parts []link
}

// link is a text that leads somewhere, or just a text.
type link struct {
	Text, Href string
	// Outside leads away from the console.
	Outside bool
	Note    string // after it
}

// story shows what happened to one call, in order.
func (v *visit) story() {
	var told callStory
	if err := v.get(v.path("calls", v.r.PathValue("id")), nil, &told); err != nil {
		if no, ok := errors.AsType[*refused](err); ok && no.Status == http.StatusNotFound {
			v.problem(no.Status, v.T("story.unknown"))
			return
		}
		v.failed(err)
		return
	}
	// Whoever has seen this already is told so, and what he has open stays open.
	mark := told.mark()
	if v.r.Header.Get("HX-Request") != "" && v.r.URL.Query().Get("seen") == mark {
		v.w.WriteHeader(http.StatusNoContent)
		return
	}
	d := storyData{Call: told.callItem, Steps: v.tell(told)}
	for _, s := range d.Steps {
		if s.Parked != "" {
			d.Parked = s.Parked
		}
	}
	if d.Parked != "" {
		d.Parked = "/console/p/" + v.Project.ID + "/parked#p-" + d.Parked
	}
	if slices.Contains([]string{"unfinished", "waiting", "in_doubt"}, d.Call.State) {
		d.Again = v.CallPath(d.Call.ID) + "?seen=" + mark
	}
	if d.Call.Phone != "" {
		d.Others = address("/console/p/"+v.Project.ID+"/calls", map[string][]string{"phone": {d.Call.Phone}})
	}
	d.Replay = address("/console/p/"+v.Project.ID+"/replays", map[string][]string{"call": {d.Call.ID}})
	v.show("story", d)
}

// mark tells one state of a story from another.
func (s callStory) mark() string {
	h := sha256.New()
	_ = json.NewEncoder(h).Encode(s.callItem)
	_ = json.NewEncoder(h).Encode(s.Commands)
	for _, e := range s.Events {
		_, _ = h.Write([]byte(e.ID))
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// telling is a story on its way into words.
type telling struct {
	*visit
	commands map[string]storyCommand
	outcomes map[string]event.BitrixOutcome // the last of each command, by plan and command
	ended    map[string]time.Time           // when the last outcome of a plan came
	plans    map[string][]event.BitrixCommand
	resolved map[string]event.CallResolved // by its event's id, which is the plan's
	parked   map[string]event.ParkedState  // how each entry ended
	people   map[int]event.Person
}

// tell makes steps of a call's events. The commands of one plan are one step, each with
// the last that is known of it.
func (v *visit) tell(s callStory) []step {
	t := telling{v, map[string]storyCommand{}, map[string]event.BitrixOutcome{}, map[string]time.Time{}, map[string][]event.BitrixCommand{},
		map[string]event.CallResolved{}, map[string]event.ParkedState{}, map[int]event.Person{}}
	for _, c := range s.Commands {
		t.commands[c.ID] = c
	}
	for _, e := range s.Events {
		switch e.Type {
		case event.TypeBitrixCommand:
			if p, ok := payload[event.BitrixCommand](e.Data); ok {
				t.plans[p.Plan] = append(t.plans[p.Plan], p)
			}
		case event.TypeBitrixOutcome:
			if p, ok := payload[event.BitrixOutcome](e.Data); ok {
				t.outcomes[p.Plan+" "+p.Command], t.ended[p.Plan] = p, e.Time
			}
		case event.TypeCallParked:
			if p, ok := payload[event.CallParked](e.Data); ok {
				t.parked[p.ID] = p.State
			}
		}
	}
	var steps []step
	for _, e := range s.Events {
		for _, next := range t.step(e.ID, e.Type, e.Time, e.Data, e.Words) {
			if next.At.IsZero() {
				next.At = e.Time
			}
			if n := len(steps); n > 0 {
				next.After = v.after(next.At.Sub(steps[n-1].At))
			}
			next.At = v.Local(next.At)
			steps = append(steps, next)
		}
	}
	return steps
}

// after writes the time between two steps, to the millisecond where it is short.
func (w words) after(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return ""
	case d < time.Second:
		return w.T("story.ms", int(d.Milliseconds()))
	}
	return w.Span(d)
}

func payload[T any](data json.RawMessage) (out T, ok bool) {
	return out, json.Unmarshal(data, &out) == nil
}

func (t telling) step(id string, kind event.Type, at time.Time, data json.RawMessage, words string) []step {
	switch kind {
	case event.TypeCallReceived:
		if p, ok := payload[event.CallReceived](data); ok {
			return []step{t.received(id, p)}
		}
	case event.TypeCallClassified:
		if p, ok := payload[event.CallClassified](data); ok {
			return []step{t.classified(p)}
		}
	case event.TypeCallResolved:
		if p, ok := payload[event.CallResolved](data); ok {
			t.resolved[id] = p
			for id, person := range p.People {
				t.people[id] = person
			}
			return []step{t.knew(p)}
		}
	case event.TypeBitrixCommand:
		if p, ok := payload[event.BitrixCommand](data); ok {
			if t.plans[p.Plan][0].ID != p.ID {
				return nil // told with the plan's first one
			}
			made := t.made(p.Plan)
			if made.At.IsZero() {
				made.At = at
			}
			return []step{t.ruled(p), made}
		}
	case event.TypeBitrixOutcome:
		return nil // told with its command
	case event.TypeCallParked:
		if p, ok := payload[event.CallParked](data); ok {
			return []step{t.stuck(p)}
		}
	}
	return []step{{Kind: "other", Title: string(kind), Words: words}} // of a version that knows more
}
