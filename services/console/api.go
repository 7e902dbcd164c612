package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/reconciliation"
	"github.com/ringbridge/ringbridge/pkg/rules"
	"github.com/ringbridge/ringbridge/pkg/service"
)

type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

type statusAnswer struct {
	Project  string     `json:"project"`
	Waiting  int        `json:"waiting"`
	InFlight int        `json:"in_flight"`
	InDoubt  int        `json:"in_doubt"`
	Parked   int        `json:"parked"`
	Revision int        `json:"revision"`
	Portal   crm.Portal `json:"portal"`
	// Reconciliation is absent for a project whose call log is not read.
	Reconciliation *reconciliation.Status `json:"reconciliation,omitempty"`
	Services       []lag                  `json:"services"`
	// Doubtful are the commands in doubt, the first of them where there are many.
	Doubtful []doubt `json:"doubtful"`
}

// lag is how far a service is behind: events not read yet, and read but not settled.
type lag struct {
	Name      string `json:"name"`
	Unread    int    `json:"unread"`
	Unsettled int    `json:"unsettled"`
	// Host works it, since then; absent with the embedded broker and while nobody does.
	Host  string    `json:"host,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// What is said of a service that should answer and does not.
var (
	silentWriter = event.Texts{
		"uk": "Сервіс, що записує в Bitrix24, не відповідає.",
		"ru": "Сервис, который записывает в Bitrix24, не отвечает.",
		"en": "The service that writes to Bitrix24 does not answer.",
	}
	silentReconciler = event.Texts{
		"uk": "Сервіс, що звіряє журнал дзвінків, не відповідає.",
		"ru": "Сервис, который сверяет журнал звонков, не отвечает.",
		"en": "The service that compares the call log does not answer.",
	}
)

const (
	// statusLimit is how long the status takes at most, also when the broker answers
	// nothing: the image's HEALTHCHECK waits 10 s.
	statusLimit = 8 * time.Second
	// serviceLimit is how long a service may take to say how it is. They know it by heart.
	serviceLimit = 2 * time.Second
)

func (c *console) status(w http.ResponseWriter, r *http.Request, p service.Revision) {
	ctx, cancel := context.WithTimeout(r.Context(), statusLimit)
	defer cancel()
	r = r.WithContext(ctx)
	// The writer first: what it has settled by then, the index must show too.
	s, err := askStatus[crm.StatusQuestion, crm.Status](ctx, c, crm.StatusSubject(p.ID))
	if err != nil {
		s = crm.Status{Portal: crm.Portal{State: crm.PortalDown, Reason: silentWriter.In(p.Locale), ReasonIn: silentWriter}}
	}
	if service.Behind(w, r, c.index.View) {
		return
	}
	waiting, parked, err := c.index.counts(r.Context(), p.ID)
	if err != nil {
		c.failed(w, err)
		return
	}
	out := statusAnswer{
		Project: p.ID, Waiting: waiting, InFlight: s.InFlight, InDoubt: s.InDoubt, Parked: parked, Revision: p.Number, Portal: s.Portal, Services: []lag{},
	}
	if out.Doubtful, err = c.index.doubts(r.Context(), p.ID); err != nil {
		c.failed(w, err)
		return
	}
	out.Reconciliation = c.reconciliation(r.Context(), p)
	leases := map[string]bus.Lease{}
	for _, l := range c.Bus.Leases() {
		leases[l.Name] = l
	}
	for _, name := range []string{"classifier", "resolver-" + p.ID, "planner", "writer-" + p.ID} {
		if unread, unsettled, err := c.Bus.Lag(r.Context(), name); err == nil {
			out.Services = append(out.Services, lag{name, unread, unsettled, leases[name].Host, leases[name].Since})
		}
	}
	service.Answer(w, out)
}

// reconciliation asks how far the call log is read.
func (c *console) reconciliation(ctx context.Context, p service.Revision) *reconciliation.Status {
	if p.Ringostat.APIKey == "" {
		return nil
	}
	s, err := askStatus[reconciliation.StatusQuestion, reconciliation.Status](ctx, c, reconciliation.StatusSubject(p.ID))
	if err != nil {
		s = reconciliation.Status{Error: silentReconciler.In(p.Locale), ErrorIn: silentReconciler}
	}
	return &s
}

func askStatus[Q, A any](ctx context.Context, c *console, subject string) (A, error) {
	ctx, cancel := context.WithTimeout(ctx, serviceLimit)
	defer cancel()
	var q Q
	return bus.Ask[Q, A](ctx, c.Bus, subject, q)
}

func (c *console) projects(w http.ResponseWriter, _ *http.Request) {
	type item struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		TimeZone string `json:"time_zone"`
		Revision int    `json:"revision"`
	}
	out := list[item]{Items: []item{}}
	for _, id := range c.Projects.IDs() {
		p, _ := c.Projects.Get(id)
		out.Items = append(out.Items, item{id, p.Name, p.Location().String(), p.Number})
	}
	service.Answer(w, out)
}

func (c *console) rules(w http.ResponseWriter, _ *http.Request) {
	type item struct {
		ID     string   `json:"id"`
		Source string   `json:"source"`
		When   string   `json:"when"`
		Then   []string `json:"then"`
	}
	out := list[item]{Items: []item{}}
	for _, r := range rules.Table() {
		out.Items = append(out.Items, item{r.ID, r.Source.Words("en"), r.WhenText(), r.ThenText()})
	}
	service.Answer(w, out)
}

// choices are the parameters of the list that take one of some words.
var choices = []struct {
	name   string
	values []string
	of     func(*filter) *string
}{
	{"state", []string{"waiting", "done", "ignored", "parked", "in_doubt"}, func(f *filter) *string { return &f.state }},
	{"direction", []string{"inbound", "outbound", "internal"}, func(f *filter) *string { return &f.direction }},
	{"outcome", []string{"answered", "missed", "voicemail"}, func(f *filter) *string { return &f.outcome }},
	{"client", []string{"new", "contact", "open", "anonymous"}, func(f *filter) *string { return &f.client }},
	{"unfinished", []string{"too", "only"}, func(f *filter) *string { return &f.unfinished }},
}

func (c *console) calls(w http.ResponseWriter, r *http.Request, p service.Revision) {
	f, err := readFilter(r, p, c.Now())
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	}
	if service.Behind(w, r, c.index.View) {
		return
	}
	items, next, err := c.index.calls(r.Context(), f)
	switch {
	case errors.Is(err, errCursor):
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
	case err != nil:
		c.failed(w, err)
	default:
		service.Answer(w, list[callItem]{items, next})
	}
}

func readFilter(r *http.Request, p service.Revision, now time.Time) (filter, error) {
	q := r.URL.Query()
	f := filter{project: p.ID, cursor: q.Get("cursor"), employee: q.Get("employee")}
	for _, choice := range choices {
		value := q.Get(choice.name)
		if value != "" && !slices.Contains(choice.values, value) {
			return f, fmt.Errorf("%s %q is unknown; it is one of %s", choice.name, value, strings.Join(choice.values, ", "))
		}
		*choice.of(&f) = value
	}
	if f.unfinished == "only" && f.state != "" {
		return f, errors.New("state is where a finished call stands; leave it out with unfinished=only")
	}
	var err error
	if f.limit, err = readLimit(r); err != nil {
		return f, err
	}
	if raw := q.Get("phone"); raw != "" {
		// An unescaped + arrives as a blank.
		number, ok := phone.Parse(strings.Replace(raw, " ", "+", min(1, len(raw)-len(strings.TrimLeft(raw, " ")))), p.Country)
		if !ok {
			return f, fmt.Errorf("phone %q is no phone number; write it like +380671112233 or the national way", raw)
		}
		f.phone = string(number)
	}
	f.since, f.until, err = service.ReadSpan(q.Get("since"), q.Get("until"), p.Location(), now)
	return f, err
}

// readLimit is how many things a page of a list holds.
func readLimit(r *http.Request) (int, error) {
	raw := r.URL.Query().Get("limit")
	if raw == "" {
		return 50, nil
	}
	n, err := strconv.Atoi(raw)
	if err != nil || n < 1 || n > 500 {
		return 0, errors.New("limit is a number from 1 to 500")
	}
	return n, nil
}

func (c *console) call(w http.ResponseWriter, r *http.Request, p service.Revision) {
	if service.Behind(w, r, c.index.View) {
		return
	}
	story, seqs, ok, err := c.index.call(r.Context(), p.ID, r.PathValue("id"))
	if err != nil {
		c.failed(w, err)
		return
	}
	if !ok {
		// A leg of a talk that was passed on is told under the call that it belongs to.
		if file, err := c.Files.Get(r.Context(), p.ID, r.PathValue("id")); err == nil && file.LegOf != "" {
			story, seqs, ok, _ = c.index.call(r.Context(), p.ID, file.LegOf)
		}
	}
	if !ok {
		service.Problem(w, http.StatusNotFound, "unknown call", "No webhook told of a call with this id.")
		return
	}
	told := map[string]bool{}
	for _, seq := range seqs {
		e, err := c.Bus.Get(r.Context(), seq)
		if err != nil {
			c.failed(w, err)
			return
		}
		// The request stands before the facts that were read from it.
		if classified, err := event.As[event.CallClassified](e); err == nil && e.Type == event.TypeCallClassified && !told[classified.Received] {
			told[classified.Received] = true
			if raw, ok := c.received(r.Context(), classified.Received); ok {
				story.Events = append(story.Events, toStory(raw))
			}
		}
		story.Events = append(story.Events, toStory(e))
	}
	service.Answer(w, story)
}

func toStory(e event.Envelope) storyEvent {
	return storyEvent{e.ID, e.Type, e.Time, event.Words(e), e.Data}
}
