package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

var (
	fromAds    = &visit{"google", "cpc", "kuhni-kyiv", "кухня на замовлення", "1169999034.1731315881", "https://shop.example/kuhni", "https://google.example/"}
	fromSearch = &visit{"google", "organic", "(not set)", "(not set)", "1169999035.1731315992", "https://shop.example/", "https://google.example/"}
	fromSocial = &visit{"instagram", "social", "osin", "(not set)", "1169999036.1731316003", "https://shop.example/shafy", "https://instagram.example/"}
	direct     = &visit{"(direct)", "(none)", "(not set)", "(not set)", "1169999037.1731316114", "https://shop.example/kontakty", ""}
	visits     = []*visit{fromAds, fromSearch, fromSocial, direct, nil}
)

// tour has a call for every row of the decision table, and what makes calls hard: one
// client calling again and again, a hidden number, a name that is no name.
var tour = []call{
	{rule: "answered/new", status: "ANSWERED", client: clientOfManyCalls, by: olena, wait: 8, talk: 95, visit: fromAds},
	{rule: "missed/open", status: "NO ANSWER", client: clientOfManyCalls, wait: 25, visit: fromAds},
	{rule: "answered/open/other", status: "ANSWERED", client: clientOfManyCalls, by: petro, wait: 6, talk: 41, visit: fromAds},
	{rule: "missed/new", status: "NO ANSWER", client: "380671112241", wait: 31, visit: fromSocial},
	{rule: "answered/new/unmapped", status: "ANSWERED", client: "380671112242", line: unknownLine, wait: 9, talk: 63, visit: fromSearch},
	{rule: "answered/open/owner", status: "ANSWERED", client: leadOfPetro, by: petro, wait: 4, talk: 122},
	{rule: "answered/open/other", status: "ANSWERED", client: dealOfOlena, by: petro, wait: 11, talk: 57},
	{rule: "answered/open/unmapped", status: "ANSWERED", client: dealOfOlena, line: unknownLine, wait: 7, talk: 33},
	{rule: "answered/contact/owner", status: "ANSWERED", client: contactOfOlena, by: olena, wait: 5, talk: 84},
	{rule: "answered/contact/other", status: "ANSWERED", client: contactOfPetro, by: iryna, wait: 10, talk: 48},
	{rule: "answered/contact/unmapped", status: "ANSWERED", client: contactOfIryna, line: unknownLine, wait: 12, talk: 29},
	{rule: "missed/open", status: "BUSY", client: leadOfHanna, wait: 2},
	{rule: "missed/contact", status: "NO ANSWER", client: contactInTheDark, wait: 22},
	{rule: "voicemail/new", status: "VOICEMAIL", client: "380671112243", wait: 30, talk: 14, visit: direct},
	{rule: "voicemail/open", status: "VOICEMAIL", client: dealOfOlena, wait: 30, talk: 9},
	{rule: "voicemail/contact", status: "VOICEMAIL", client: contactInTheDark, wait: 30, talk: 17},
	{rule: "outbound/open/owner", out: true, status: "ANSWERED", client: dealOfOlena, by: olena, wait: 13, talk: 71},
	{rule: "outbound/open/other", out: true, status: "NO ANSWER", client: dealOfOlena, by: iryna, wait: 35},
	{rule: "outbound/open/unmapped", out: true, status: "ANSWERED", client: leadOfPetro, line: unknownLine, wait: 15, talk: 20},
	{rule: "outbound/contact", out: true, status: "ANSWERED", client: contactInTheDark, by: petro, wait: 9, talk: 140},
	{rule: "outbound/contact/unmapped", out: true, status: "ANSWERED", client: contactInTheDark, line: unknownLine, wait: 9, talk: 12},
	{rule: "outbound/new", out: true, status: "ANSWERED", client: "380671112249", by: iryna, wait: 14, talk: 26},
	{rule: "internal", out: true, status: "ANSWERED", by: olena, colleague: petro, wait: 3, talk: 18},
	{rule: "anonymous", status: "NO ANSWER", wait: 19},
	{rule: "answered/new", status: "ANSWERED", client: "380671112244", name: "<b onclick=alert(1)>Жартівник</b>", by: iryna, wait: 6, talk: 37},
}

// lost is the call whose answer is lost on the way back: the portal has made the task,
// and nobody has heard it say so.
var lost = call{rule: "missed/open", status: "NO ANSWER", client: leadOfPetro, wait: 27}

// unreadable is a webhook that was cut off: it is kept, parked and shown.
const unreadable = `{"uniqueid":"ua0_-1731315881.777","calldate":"2026-03-02T10:15:00+0200","disposi`

// Tour sends a call for every row of the decision table, an unreadable webhook, and
// last one whose answer from the portal is lost. It fails only when ctx ends: a webhook
// that is not taken is lost, as with the real Ringostat.
func (w *World) Tour(ctx context.Context, base string) error {
	address := hookAddress(base)
	for i, c := range tour {
		if i == len(tour)/2 {
			r, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(unreadable))
			if err == nil {
				r.Header.Set("Content-Type", "application/json")
			}
			w.note(w.deliver(r, err))
		}
		if err := w.make(ctx, address, c, i); err != nil {
			return err
		}
		if err := wait(ctx, w.options.Gap); err != nil {
			return err
		}
	}
	if err := w.quiet(ctx); err != nil {
		return err
	}
	w.portal.Inject(bitrixtest.Fault{Do: bitrixtest.CutAfter, When: makesOneTask})
	return w.make(ctx, address, lost, int(classicForm))
}

// makesOneTask picks the request that makes a task and nothing else.
func makesOneTask(r bitrixtest.Request) bool {
	tasks := 0
	for _, c := range r.Commands {
		if strings.HasSuffix(c.Method, ".add") {
			tasks++
		}
	}
	return tasks == 1 || strings.HasSuffix(r.Method, "task.add")
}

// KeepCalling sends calls of chance until ctx ends or Options.Most are made: known
// clients call again, new ones appear.
func (w *World) KeepCalling(ctx context.Context, base string) error {
	chance := newChance(w.options.Seed)
	known := []string{contactOfOlena, contactOfPetro, contactOfIryna, contactInTheDark, leadOfPetro, leadOfHanna, dealOfOlena, lostLead, companyOfIryna, clientOfManyCalls}
	for i := range w.options.Most {
		if err := wait(ctx, w.options.Every/2+time.Duration(chance.Int64N(int64(w.options.Every)))); err != nil {
			return err
		}
		c := byChance(chance, &known)
		if err := w.make(ctx, hookAddress(base), c, i); err != nil {
			return err
		}
	}
	return nil
}

func newChance(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0)) }

// byChance invents a call; a client who is new joins known.
func byChance(chance *rand.Rand, known *[]string) call {
	one := func(in int) bool { return chance.IntN(in) == 0 }
	c := call{wait: 3 + chance.IntN(28), by: staff[chance.IntN(len(staff))], status: "ANSWERED", talk: 10 + chance.IntN(170)}
	if one(30) {
		c.out, c.colleague = true, olena
		if c.by == olena {
			c.colleague = petro
		}
		return c
	}
	c.out = one(4)
	switch {
	case !c.out && one(25):
	case one(3):
		c.client, c.visit = fmt.Sprintf("38067111%04d", 3000+chance.IntN(7000)), visits[chance.IntN(len(visits))]
		if !c.out {
			*known = append(*known, c.client)
		}
	default:
		c.client = (*known)[chance.IntN(len(*known))]
	}
	if one(12) {
		c.by, c.line = nil, unknownLine
	}
	if one(3) {
		c.status, c.talk = "NO ANSWER", 0
		if !c.out && one(4) {
			c.status, c.talk = "VOICEMAIL", 5+chance.IntN(20)
		}
		if !c.out {
			c.by = nil
		}
	}
	return c
}

// make gives the call its id and time and sends its webhooks; every third incoming one
// is told of when it begins, too. The error is ctx's.
func (w *World) make(ctx context.Context, address string, c call, turn int) error {
	c.at = time.Now().Add(-time.Duration(c.wait+c.talk) * time.Second).Truncate(time.Second)
	w.mu.Lock()
	c.id = fmt.Sprintf("ua0_-%d.%d", c.at.Unix(), 12669683+w.sent)
	if c.rule != "" {
		w.promised[c.id] = c.rule
	}
	w.mu.Unlock()
	w.page.saw(c.id)
	if turn%3 == 0 && !c.out {
		w.note(w.deliver(c.ringing(ctx, address)))
	}
	w.note(w.deliver(c.request(ctx, address, shape(turn%shapesInTurn))))
	return ctx.Err()
}

// note logs what went wrong and goes on.
func (w *World) note(err error) {
	if err != nil {
		w.options.Log.Warn("the simulated Ringostat lost a call", zap.Error(err))
	}
}

// quiet waits until nothing waits any more, for a minute at most: the tour goes on
// whatever a visitor does to the pipeline.
func (w *World) quiet(ctx context.Context) error {
	for range 300 {
		var status struct {
			Waiting  int `json:"waiting"`
			InFlight int `json:"in_flight"`
			InDoubt  int `json:"in_doubt"`
		}
		text, err := w.page.ask(ctx, "/status")
		if err == nil {
			err = json.Unmarshal(text, &status)
		}
		if err == nil && status.Waiting+status.InFlight+status.InDoubt == 0 {
			return nil
		}
		if err := wait(ctx, 200*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func hookAddress(base string) string { return base + "/ringostat/" + Project + "/" + hookToken }
