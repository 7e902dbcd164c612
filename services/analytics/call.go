package analytics

import (
	"cmp"
	"encoding/json"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// Call is one finished call with its classification and outcome, as `export` gives it.
// Parquet holds its times in UTC.
type Call struct {
	ID        string    `json:"id" parquet:"id"`
	StartedAt time.Time `json:"started_at" parquet:"started_at,timestamp(millisecond)"`
	Direction string    `json:"direction" parquet:"direction,dict"`
	Outcome   string    `json:"outcome" parquet:"outcome,dict"`
	// Client is what the CRM knew when the call was first decided: new, contact, open,
	// anonymous; empty before that and for internal calls.
	Client   string `json:"client" parquet:"client,dict"`
	Phone    string `json:"phone" parquet:"phone"`
	Employee string `json:"employee" parquet:"employee,dict"`
	Source   string `json:"source" parquet:"source,dict"`
	Medium   string `json:"medium" parquet:"medium,dict"`
	Campaign string `json:"campaign" parquet:"campaign,dict"`
	Waiting  int    `json:"waiting_s" parquet:"waiting_s"`
	Talk     int    `json:"talk_s" parquet:"talk_s"`
	Rule     string `json:"rule" parquet:"rule,dict"`
	// State is waiting, done, ignored, parked or in_doubt, as in the list of calls.
	State     string `json:"state" parquet:"state,dict"`
	Recording string `json:"recording" parquet:"recording"`
	// NextAt is when the client of a missed call was talked to next; NextBy who called
	// then: outbound is us, inbound the client. Nil and empty: not yet, or not missed.
	NextAt *time.Time `json:"talked_next_at,omitempty" parquet:"talked_next_at,optional,timestamp(millisecond)"`
	NextBy string     `json:"talked_next_by,omitempty" parquet:"talked_next_by,dict"`
}

// record is what is kept of a call.
type record struct {
	Call
	number int64
	final  bool
	next   talk // after a missed call
	memory memory
}

// talk is when a client was talked to, in milliseconds, and who called; 0: not yet.
type talk struct {
	at int64
	by string
}

// memory is what the next event of a call is judged by.
type memory struct {
	// Seen are the events taken, in short: one that was stored twice, which a crash of the
	// broker can make, changes nothing.
	Seen []uint64 `json:"seen"`
	// Facts tells what is known of the call, Planned what its plan was made from.
	Facts   uint64 `json:"facts"`
	Planned uint64 `json:"planned"`
	Plan    string `json:"plan"`
	// Commands are those asked for, by id; Parked what waits for a person.
	Commands map[string]command `json:"commands,omitempty"`
	Parked   map[string]bool    `json:"parked,omitempty"`
}

type command struct {
	Plan  string             `json:"plan"`
	Of    int                `json:"of"`
	Kind  event.Kind         `json:"kind"`
	State event.OutcomeState `json:"state,omitempty"` // empty: not settled yet
}

// rememberedEvents bounds Seen. A call has about ten; more are a person's retries, and
// no broker stores an event again so much later.
const rememberedEvents = 256

// take lets one event change the record. It is false where the event changes nothing:
// taken before, or no news.
func (c *record) take(r bus.Recorded, p event.Payload) bool {
	if classified, ok := p.(*event.CallClassified); ok && c.memory.Facts != 0 && !classified.Changed && !classified.Retry {
		return false // a repeated webhook; also, it need not be remembered
	}
	short := digest(r.ID)
	if slices.Contains(c.memory.Seen, short) {
		return false
	}
	c.memory.Seen = append(c.memory.Seen, short)
	c.memory.Seen = c.memory.Seen[max(0, len(c.memory.Seen)-rememberedEvents):]
	switch p := p.(type) {
	case *event.CallClassified:
		c.classified(p, r.Time)
	case *event.CallResolved:
		if c.Client == "" { // amended or tried again the client has our own lead
			c.Client = p.Client.State
		}
		c.memory.Plan, c.memory.Planned, c.State = r.ID, factsDigest(p.Facts), "waiting"
	case *event.BitrixCommand:
		c.command(p)
	case *event.BitrixOutcome:
		c.outcome(p)
	case *event.CallParked:
		c.parked(p)
	}
	return true
}

// classified takes over the facts. A call that was settled waits again when this report
// told more, or a person asked to try again.
func (c *record) classified(p *event.CallClassified, told time.Time) {
	f := p.Call
	switch {
	case f.StartedAt != nil:
		c.StartedAt = *f.StartedAt
	case c.StartedAt.IsZero():
		c.StartedAt = told
	}
	c.Direction, c.Outcome, c.Phone = string(f.Direction), string(f.Outcome), f.Client
	c.Employee = ""
	if f.Employee != nil {
		c.Employee = f.Employee.Name
	}
	c.Source, c.Medium, c.Campaign = f.Traffic.Source, f.Traffic.Medium, f.Traffic.Campaign
	c.Waiting, c.Talk, c.Recording = f.Waiting, f.Talk, f.Recording
	if f.Final && (c.State == "" || p.Changed || p.Retry) {
		c.State = "waiting"
	}
	c.final, c.memory.Facts = f.Final, factsDigest(f)
}

func (c *record) command(p *event.BitrixCommand) {
	c.Rule = p.Rule
	known := c.memory.Commands[p.ID]
	if known.Plan != p.Plan {
		known.State = ""
	}
	c.memory.Commands = maps.Clone(c.memory.Commands)
	if c.memory.Commands == nil {
		c.memory.Commands = map[string]command{}
	}
	c.memory.Commands[p.ID] = command{p.Plan, p.Of, cmp.Or(known.Kind, p.Kind), known.State}
}

// outcome moves the command, and the call once all commands of its plan are settled.
func (c *record) outcome(p *event.BitrixOutcome) {
	if k, ok := c.memory.Commands[p.Command]; ok && k.Plan == p.Plan {
		k.State = p.State
		c.memory.Commands = maps.Clone(c.memory.Commands)
		c.memory.Commands[p.Command] = k
	}
	if p.Plan != c.memory.Plan {
		return
	}
	size, settled, refused, doubtful, nothing := 0, 0, 0, 0, 0
	for _, k := range c.memory.Commands {
		if k.Plan != p.Plan {
			continue
		}
		size = max(size, k.Of)
		settled += one(k.State.Settled())
		refused += one(k.State == event.Refused)
		doubtful += one(k.State == event.InDoubt)
		nothing += one(k.Kind == event.KindNothing)
	}
	switch {
	case c.memory.Facts != c.memory.Planned:
		c.State = "waiting" // a report told more: the plan that knows it comes
	case doubtful > 0:
		c.State = "in_doubt"
	case settled < size:
		c.State = "waiting"
	case refused > 0:
		c.State = "parked"
	case nothing == size:
		c.State = "ignored"
	default:
		c.State = "done"
	}
}

func (c *record) parked(p *event.CallParked) {
	c.memory.Parked = maps.Clone(c.memory.Parked)
	if p.State == event.ParkedWaiting {
		if c.memory.Parked == nil {
			c.memory.Parked = map[string]bool{}
		}
		c.memory.Parked[p.ID] = true
		c.State = "parked"
		return
	}
	delete(c.memory.Parked, p.ID)
	if p.State == event.ParkedDropped {
		c.State = "ignored"
		if len(c.memory.Parked) > 0 {
			c.State = "parked" // something else of it is
		}
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

func digest(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}

// factsDigest tells whether two reports know the same of a call. It is never 0.
func factsDigest(c event.Call) uint64 {
	b, err := json.Marshal(c)
	if err != nil {
		return digest(c.ID) | 1 // no parser of ours lets such a time through
	}
	return digest(string(b)) | 1
}
