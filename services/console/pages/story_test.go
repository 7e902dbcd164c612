package pages

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// aStory is a call whose every text from outside is hostile: it came in, was understood,
// looked up and decided; one command was refused and one is in doubt; then it was parked.
func aStory() map[string]any {
	began := time.Date(2026, 1, 2, 10, 0, 0, 0, time.UTC)
	facts := event.Call{
		ID: "1767348000.13", Event: "after", Final: true, Direction: event.Inbound, Outcome: event.Answered, Status: hostile, Client: "+380671112233", ClientName: hostile,
		Employee: &event.Employee{Name: hostile, BitrixUser: 7}, StartedAt: &began, Talk: 125, Waiting: 4,
		Recording: "javascript:alert(3)", Card: "https://app.ringostat.example/card/13", Traffic: event.Traffic{Source: hostile, Landing: "https://shop.example/?a=1"},
	}
	resolved := &event.CallResolved{
		Project: "shop", Revision: 1, Answerer: "employee", Decision: 1, Facts: facts, People: map[int]event.Person{7: {Name: hostile, Active: true}, 8: {Name: "Petro Bondar"}},
		Client: event.Client{State: "open", Owner: 8, ChosenBecause: "deal_before_lead", Open: &event.Ref{Kind: "deal", ID: 12, Title: hostile, Responsible: 8},
			Others: []event.Ref{{Kind: "lead", ID: 5, Responsible: 7}}},
	}
	due := began.Add(3 * time.Hour)
	done := &event.BitrixCommand{ID: "c1", Project: "shop", Call: facts.ID, Role: "task:done", Kind: event.KindTask, Rule: "answered/open/other", Plan: "e3", Index: 1, Of: 2,
		Task: &event.Task{Title: hostile, Description: "[B]Call:[/B] " + hostile, Responsible: 7, Closed: true, Links: []event.Link{{Kind: event.KindDeal, ID: 12}}}}
	review := &event.BitrixCommand{ID: "c2", Project: "shop", Call: facts.ID, Role: "task:review", Kind: event.KindTask, Rule: "answered/open/other", Plan: "e3", Index: 2, Of: 2,
		Task: &event.Task{Title: "Check", Responsible: 8, Deadline: &due}}
	type told struct {
		ID    string     `json:"id"`
		Type  event.Type `json:"type"`
		Time  time.Time  `json:"time"`
		Words string     `json:"words"`
		Data  any        `json:"data"`
	}
	var events []told
	add := func(id string, after time.Duration, p event.Payload) {
		events = append(events, told{id, p.Type(), began.Add(after), "words", p})
	}
	add("e1", 130*time.Second, &event.CallReceived{Project: "shop", Source: event.FromWebhook, Method: "POST", Headers: map[string]string{"Content-Type": "application/json"}, Body: []byte(`{"name":"` + hostile + "\xff\"}")})
	add("e2", 130*time.Second+40*time.Millisecond, &event.CallClassified{Project: "shop", Received: "e1", Changed: true, Call: facts})
	add("e3", 131*time.Second, resolved)
	add("e4", 131*time.Second, done)
	add("e5", 131*time.Second, review)
	add("e6", 140*time.Second, &event.BitrixOutcome{Command: "c1", Project: "shop", Call: facts.ID, Plan: "e3", Role: done.Role, Kind: done.Kind, State: event.Refused, Error: hostile,
		ErrorIn: event.Texts{"uk": "причина відмови " + hostile, "ru": "причина отказа " + hostile, "en": "cause of the refusal " + hostile}})
	add("e7", 141*time.Second, &event.BitrixOutcome{Command: "c2", Project: "shop", Call: facts.ID, Plan: "e3", Role: review.Role, Kind: review.Kind, State: event.InDoubt})
	add("e8", 142*time.Second, &event.CallParked{ID: "p1", Project: "shop", Call: facts.ID, State: event.ParkedWaiting, Step: "write", Reason: "stored reason", Remedy: "stored words",
		ReasonIn: event.Texts{"uk": "lead: не прийнято", "ru": "lead: не принято", "en": "lead: not taken"}})
	events = append(events, told{"e9", "call.rated.v9", began.Add(150 * time.Second), hostile, map[string]any{}})
	return map[string]any{
		"id": facts.ID, "started_at": "2026-01-02T12:00:00+02:00", "direction": "inbound", "outcome": "answered", "client": "open", "phone": facts.Client,
		"employee": hostile, "rule": done.Rule, "state": "in_doubt", "events": events,
		"commands": []storyCommand{{ID: "c1", Kind: "task", State: "refused"}, {ID: "c2", Kind: "task", State: "in_doubt", BitrixID: 77}},
	}
}

func TestAStoryTellsWhyInTheReadersLanguage(t *testing.T) {
	server, client := openWith(t, &told{answers: map[string]any{"GET /calls/1767348000.13": aStory()}})
	for lang, words := range map[string][]string{
		"uk": {"Надійшов вебхук", "через 40 мс", "угода важливіша за лід", "Petro Bondar (звільнено)", "закрите завдання на співробітника", "портал відмовив", ">причина відмови &lt;script", ">lead: не прийнято</p>", "Усуньте причину", "2 хв 5 с", "строк 2 січ. 2026, 15:00"},
		"ru": {"Пришёл вебхук", "через 40 мс", "сделка важнее лида", "Petro Bondar (уволен)", "закрытая задача на сотрудника", "портал отказал", ">причина отказа &lt;script", ">lead: не принято</p>", "Устраните причину", "2 мин 5 с"},
		"en": {"A webhook came in", "after 40 ms", "a deal comes before a lead", "Petro Bondar (has left)", "closed task on the employee", "refused", ">cause of the refusal &lt;script", ">lead: not taken</p>", "Remove the cause", "2 min 5 s"},
	} {
		code, body := visitIn(t, client, lang, server.URL+"/console/p/shop/calls/1767348000.13")
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", lang, code, body)
		}
		for _, w := range append(words,
			`href="https://shop.bitrix24.example/crm/deal/details/12/" rel="noopener noreferrer"`,
			`href="https://shop.bitrix24.example/crm/lead/details/5/"`,
			`href="https://shop.bitrix24.example/company/personal/user/0/tasks/task/view/77/"`,
			`href="https://app.ringostat.example/card/13"`, `href="/console/p/shop/parked#p-p1"`, `href="/console/p/shop/replays?call=1767348000.13"`, `href="/console/p/shop/calls?phone=%2B380671112233"`,
			"answered/open/other", "call.rated.v9", `data-copy="raw-e1"`,
		) {
			if !strings.Contains(body, w) {
				t.Errorf("%s: no %q in the story", lang, w)
			}
		}
		neverActs(t, body)
		if strings.Contains(body, `href="javascript`) {
			t.Errorf("%s: an address that is none of a page became a link", lang)
		}
		if strings.Contains(body, "secretwebhookofshop") || strings.Contains(body, "secret-hook") {
			t.Errorf("%s: a secret is shown", lang)
		}
	}
}

func TestACallThatGoesOnIsAskedForAgainUntilItIsSettled(t *testing.T) {
	story := aStory()
	server, client := openWith(t, &told{answers: map[string]any{"GET /calls/1767348000.13": story}})
	_, body := visitIn(t, client, "en", server.URL+"/console/p/shop/calls/1767348000.13")
	again := regexp.MustCompile(`hx-get="([^"]+)"`).FindStringSubmatch(body)
	if again == nil || !strings.Contains(body, "data-every") {
		t.Fatal("a call in doubt is not asked for again")
	}
	part := func() (int, string) {
		r, _ := http.NewRequest(http.MethodGet, server.URL+again[1], nil)
		r.Header.Set("HX-Request", "true")
		r.Header.Set("HX-Target", "story")
		answer, err := client.Do(r)
		code, body, _ := read(t, answer, err)
		return code, body
	}
	if code, body := part(); code != http.StatusNoContent || body != "" {
		t.Errorf("nothing new: %d %q, want 204 so that what is open stays open", code, body)
	}
	story["state"] = "done"
	if code, body := part(); code != http.StatusOK || strings.Contains(body, "<html") || strings.Contains(body, "data-every") || !strings.Contains(body, `id="story"`) {
		t.Errorf("settled: %d, want the story alone, at rest: %.200s", code, body)
	}
}

func TestAProblemOfTheAPIIsShownInWords(t *testing.T) {
	behind := func(w http.ResponseWriter, _ *http.Request) {
		service.Problem(w, http.StatusServiceUnavailable, "not ready", "the index is still being built (5 of 9 events)")
	}
	server, client := openWith(t, &told{answers: map[string]any{"GET /calls/1": behind, "GET /calls": behind, "GET /parked": behind, "GET /status": behind}})
	for _, path := range []string{"calls/1", "calls", "parked", "health"} {
		if code, body := visitIn(t, client, "en", server.URL+"/console/p/shop/"+path); code != http.StatusServiceUnavailable || !strings.Contains(body, "Events read: 5 of 9.") {
			t.Errorf("%s: %d, want 503 with the reason", path, code)
		}
	}
}
