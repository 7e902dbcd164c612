package demo

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// most is how many calls, and how many objects of a kind, the page is told of: the
// newest.
const most = 120

// picture is what the page shows at one moment.
type picture struct {
	Sent     int                  `json:"sent"`     // webhooks
	Requests int                  `json:"requests"` // to the portal
	Status   json.RawMessage      `json:"status"`   // as the API tells it
	Calls    []item               `json:"calls"`    // the newest first
	Parked   json.RawMessage      `json:"parked"`   // as the API tells it
	Users    map[int]user         `json:"users"`
	Entities map[string][]*object `json:"entities"` // by kind, the newest first
	Tasks    []*object            `json:"tasks"`    // the newest first
	Totals   map[string]int       `json:"totals"`   // by kind
}

// item is a call in the API's list.
type item struct {
	ID        string `json:"id"`
	StartedAt string `json:"started_at"`
	Direction string `json:"direction"`
	Outcome   string `json:"outcome"`
	Client    string `json:"client"`
	Phone     string `json:"phone"`
	Employee  string `json:"employee"`
	Rule      string `json:"rule"`
	State     string `json:"state"`
	Adopted   bool   `json:"adopted,omitempty"` // an answer of the portal was lost, and what it had made was found
}

type user struct {
	Name   string `json:"name"`
	Active bool   `json:"active"`
}

// object is a lead, deal, contact, company or task of the portal.
type object struct {
	Kind        string            `json:"kind"`
	ID          int               `json:"id"`
	Title       string            `json:"title"`
	Responsible int               `json:"responsible"`
	Stage       string            `json:"stage,omitempty"`
	Closed      bool              `json:"closed"`
	Lost        bool              `json:"lost,omitempty"`
	Phones      []string          `json:"phones,omitempty"`
	Links       []link            `json:"links,omitempty"`
	UTM         map[string]string `json:"utm,omitempty"`
	Custom      map[string]string `json:"custom,omitempty"`
	Text        string            `json:"text,omitempty"`
	Due         *time.Time        `json:"due,omitempty"`
	Created     time.Time         `json:"created"`
	Call        string            `json:"call,omitempty"` // that made it
}

type link struct {
	Kind string `json:"kind"`
	ID   int    `json:"id"`
}

// data answers the page's question of every second. An ETag keeps it cheap while
// nothing happens.
func (p *page) data(w http.ResponseWriter, r *http.Request) {
	now, err := p.picture(r.Context())
	if err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	text, err := json.Marshal(now)
	if err != nil {
		http.Error(w, "could not be written as JSON", http.StatusInternalServerError)
		return
	}
	sum := sha256.Sum256(text)
	tag := strconv.Quote(hex.EncodeToString(sum[:8]))
	w.Header().Set("ETag", tag)
	if r.Header.Get("If-None-Match") == tag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (p *page) picture(ctx context.Context) (picture, error) {
	now := picture{Requests: len(p.world.portal.Requests()), Entities: map[string][]*object{}, Totals: map[string]int{}}
	p.world.mu.Lock()
	now.Sent = p.world.sent
	p.world.mu.Unlock()
	var err error
	if now.Status, err = p.ask(ctx, "/status"); err != nil {
		return now, err
	}
	if now.Parked, err = p.ask(ctx, "/parked"); err != nil {
		return now, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if now.Calls, err = p.calls(ctx); err != nil {
		return now, err
	}
	now.Users = p.users()
	for kind, all := range p.kinds() {
		now.Totals[kind] = len(all)
		for _, e := range newest(all) {
			now.Entities[kind] = append(now.Entities[kind], p.entity(kind, e))
		}
	}
	tasks := p.world.portal.Tasks()
	now.Totals["task"] = len(tasks)
	for _, t := range newest(tasks) {
		now.Tasks = append(now.Tasks, p.task(t))
	}
	return now, nil
}

// newest is the end of a list, turned round.
func newest[T any](all []T) []T {
	out := slices.Clone(all[max(0, len(all)-most):])
	slices.Reverse(out)
	return out
}

// calls lists the newest calls in the order in which they were made, not in that of
// their start: a long talk that ended just now is news. p.mu is held.
func (p *page) calls(ctx context.Context) ([]item, error) {
	text, err := p.ask(ctx, fmt.Sprintf("/calls?limit=%d", most))
	if err != nil {
		return nil, err
	}
	var list struct {
		Items []item `json:"items"`
	}
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("read the list of calls: %w", err)
	}
	for i, c := range slices.Backward(list.Items) {
		if p.order[c.ID] == 0 {
			p.order[c.ID] = len(p.order) + 1
		}
		if err := p.learn(ctx, c); err != nil {
			return nil, err
		}
		list.Items[i].Adopted = p.adopted[c.ID]
	}
	slices.SortFunc(list.Items, func(a, b item) int { return p.order[b.ID] - p.order[a.ID] })
	return list.Items, nil
}

// learn notes which objects a settled call made. p.mu is held.
func (p *page) learn(ctx context.Context, c item) error {
	if p.told[c.ID] || c.State == "waiting" || c.State == "in_doubt" {
		return nil
	}
	text, err := p.ask(ctx, "/calls/"+url.PathEscape(c.ID))
	if err != nil {
		return err
	}
	var story struct {
		Commands []struct {
			ID    string `json:"id"`
			State string `json:"state"`
		} `json:"commands"`
	}
	if err := json.Unmarshal(text, &story); err != nil {
		return fmt.Errorf("read the story of a call: %w", err)
	}
	for _, command := range story.Commands {
		p.made[command.ID] = c.ID
		p.adopted[c.ID] = p.adopted[c.ID] || command.State == "adopted"
	}
	p.told[c.ID] = true
	return nil
}

func (p *page) users() map[int]user {
	out := map[int]user{senior: {"Галина Савчук", true}, hanna: {"Ганна Лисенко", false}}
	for _, s := range staff {
		out[s.user] = user{s.full(), true}
	}
	return out
}

func (p *page) entity(kind string, e bitrixtest.Entity) *object {
	o := &object{
		Kind: kind, ID: e.ID, Title: e.Title, Responsible: e.ResponsibleID, Stage: e.StageID, Closed: e.Closed, Lost: e.Semantic == "F",
		Phones: e.Phones, UTM: e.UTM, Custom: map[string]string{}, Created: e.Created.UTC().Truncate(time.Second), Call: p.made[e.OriginID],
	}
	switch name := joined(e.Name, e.LastName); {
	case e.Title == "":
		o.Title = name
	case name != "" && !strings.Contains(e.Title, name):
		o.Title = e.Title + " · " + name
	}
	if id := e.Custom[googleField]; id != "" {
		o.Custom[googleField] = id
	}
	for _, id := range e.ContactIDs {
		o.Links = append(o.Links, link{"contact", id})
	}
	if e.CompanyID != 0 {
		o.Links = append(o.Links, link{"company", e.CompanyID})
	}
	return o
}

// letters are the kinds in a task's bindings ("L_1"): apidocs.bitrix24.com, the field
// UF_CRM_TASK.
var letters = map[string]string{"L": "lead", "D": "deal", "C": "contact", "CO": "company"}

func (p *page) task(t bitrixtest.Task) *object {
	const completed = 5 // apidocs.bitrix24.com, tasks.task.get: field status
	o := &object{
		Kind: "task", ID: t.ID, Title: t.Title, Text: t.Description, Responsible: t.ResponsibleID,
		Closed: t.Status == completed, Created: t.Created.UTC().Truncate(time.Second), Call: p.made[t.XMLID],
	}
	if !t.Deadline.IsZero() {
		due := t.Deadline.UTC()
		o.Due = &due
	}
	for _, binding := range t.CRM {
		letter, number, _ := strings.Cut(binding, "_")
		if id, err := strconv.Atoi(number); err == nil {
			o.Links = append(o.Links, link{letters[letter], id})
		}
	}
	return o
}

func joined(a, b string) string {
	if a == "" || b == "" {
		return a + b
	}
	return a + " " + b
}
