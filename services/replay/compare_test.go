package replay

import (
	"slices"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// written is a call whose lead and task were made.
func written() callfile.File {
	due := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	return callfile.File{Wanted: []string{"lead", "task:contact"}, Journal: map[string]callfile.Entry{
		"lead": {Command: "L", Kind: event.KindLead, State: callfile.Confirmed, BitrixID: 10,
			Entity: &event.Entity{Title: "Call from +380671112233", Responsible: 8, Traffic: event.Traffic{Source: "google"}, Custom: map[string]string{"UF_A": "1"}}},
		"task:contact": {Command: "T", Kind: event.KindTask, State: callfile.Confirmed, BitrixID: 20,
			Task: &event.Task{Title: "Contact the client", Description: "Call back.", Responsible: 8, Deadline: &due, Links: []event.Link{{Kind: event.KindLead, Command: "L"}}}},
	}}
}

// wantedToday are commands for the same, changed.
func wantedToday(change func(lead *event.Entity, task *event.Task)) []event.BitrixCommand {
	f := written()
	lead, task := *f.Journal["lead"].Entity, *f.Journal["task:contact"].Task
	change(&lead, &task)
	return []event.BitrixCommand{
		{ID: "L", Role: "lead", Kind: event.KindLead, Entity: &lead}, {ID: "T", Role: "task:contact", Kind: event.KindTask, Task: &task},
	}
}

// there is what the portal shows of what was written, changed.
func there(kind event.Kind, change map[string]string) *crm.SeenItem {
	e := written().Journal["lead"]
	if kind == event.KindTask {
		e = written().Journal["task:contact"]
	}
	fields := values(kind, e.Entity, e.Task, idsOf(written().Journal, nil))
	for f, v := range change {
		fields[f] = v
	}
	return &crm.SeenItem{Fields: fields}
}

func TestWhatDiffersIsComparedWithWhatPeopleChanged(t *testing.T) {
	none := func(*event.Entity, *event.Task) {}
	senior := func(lead *event.Entity, task *event.Task) { lead.Responsible, task.Responsible = 1, 1 }
	named := func(lead *event.Entity, _ *event.Task) { lead.Title, lead.Responsible = "Another", 1 }
	for _, c := range []struct {
		name       string
		want       func(*event.Entity, *event.Task)
		lead, task map[string]string
		kinds      []string
		keepLead   []string
	}{
		{"nothing", none, nil, nil, []string{replayplan.Same, replayplan.Same}, nil},
		{"the responsible", senior, nil, nil, []string{replayplan.Reassign, replayplan.Reassign}, nil},
		{"a person gave the lead away", senior, map[string]string{"responsible": "7"}, nil, []string{replayplan.Conflict, replayplan.Reassign}, []string{"responsible"}},
		{"a person put the lead right", senior, map[string]string{"responsible": "1"}, nil, []string{replayplan.Same, replayplan.Reassign}, []string{"responsible"}},
		{"a person changed what we leave alone", senior, map[string]string{"title": "Oak chairs", "stage": "WON"}, nil, []string{replayplan.Reassign, replayplan.Reassign}, nil},
		{"a person changed one of two fields", named, map[string]string{"title": "Oak chairs"}, nil, []string{replayplan.Reassign, replayplan.Conflict, replayplan.Same}, []string{"title"}},
		{"the portal escaped and cut", named, map[string]string{"title": " Call  from &#43;380671112233"}, nil, []string{replayplan.Reassign, replayplan.Same}, nil},
		{"a custom field", func(lead *event.Entity, _ *event.Task) { lead.Custom = map[string]string{"UF_A": "2"} }, nil, nil, []string{replayplan.Update, replayplan.Same}, nil},
		{"a field is emptied", func(lead *event.Entity, _ *event.Task) { lead.Traffic.Source, lead.Custom = "", nil }, nil, nil, []string{replayplan.Update, replayplan.Same}, nil},
		{"what is not written differs", func(lead *event.Entity, _ *event.Task) { lead.Traffic.Landing = "https://shop.example" }, nil, nil, []string{replayplan.Same, replayplan.Same}, nil},
	} {
		var kinds, keep []string
		for _, d := range compare(wantedToday(c.want), written()) {
			seen := there(d.kind, c.lead)
			if d.kind == event.KindTask {
				seen = there(d.kind, c.task)
			}
			rows, kept := d.settle(seen, "close")
			for _, r := range rows {
				kinds = append(kinds, r.Kind)
			}
			if d.kind == event.KindLead {
				keep = kept
			}
		}
		if !slices.Equal(kinds, c.kinds) || !slices.Equal(keep, c.keepLead) {
			t.Errorf("%s: rows %q, of the lead belongs to a person %q; want %q and %q", c.name, kinds, keep, c.kinds, c.keepLead)
		}
	}
}

func TestWhatIsNotWantedAnyMoreIsUndoneUnlessSomebodyWorkedOnIt(t *testing.T) {
	onlyLead := wantedToday(func(*event.Entity, *event.Task) {})[:1]
	for _, c := range []struct {
		name   string
		file   func(*callfile.File)
		task   *crm.SeenItem
		kind   string
		undone bool
	}{
		{"nobody touched it", nil, there(event.KindTask, nil), replayplan.Compensate, true},
		{"somebody closed it", nil, there(event.KindTask, map[string]string{"closed": "yes"}), replayplan.Compensate, true},
		{"somebody took it over", nil, there(event.KindTask, map[string]string{"responsible": "7"}), replayplan.Conflict, false},
		{"somebody wrote into it", nil, there(event.KindTask, map[string]string{"description": "Called back."}), replayplan.Conflict, false},
		{"somebody deleted it", nil, &crm.SeenItem{Gone: true}, replayplan.Conflict, false},
		{"it was undone before", func(f *callfile.File) { f.Wanted = []string{"lead"} }, nil, replayplan.Same, false},
	} {
		f := written()
		if c.file != nil {
			c.file(&f)
		}
		d := compare(onlyLead, f)[1]
		if rows, _ := d.settle(c.task, "close"); len(rows) != 1 || rows[0].Kind != c.kind {
			t.Errorf("%s: rows %+v, want one of kind %s", c.name, rows, c.kind)
		}
	}
	u := undo(draft{role: "task:contact", kind: event.KindTask, entry: written().Journal["task:contact"]}, there(event.KindTask, nil), "close", "c1", "shop.1", "en")
	if want := "Not needed: made by a mistake in the integration's settings. Call c1, replay shop.1.\n\nCall back."; u.Task.Description != want || !u.Task.Closed {
		t.Errorf("the undone task says %q, closed %t; want %q, closed", u.Task.Description, u.Task.Closed, want)
	}
}

func TestAThingThatAnotherCallMakesHasNoNumberYet(t *testing.T) {
	r := with(replayplan.Row{}, []replayplan.Change{{Field: crm.FieldBoundTo, Old: "contact 3", New: "contact 3, lead -4"}})
	if r.New != "contact 3, new lead" || r.Field != crm.FieldBoundTo {
		t.Errorf("the row says %q, want the new lead without its placeholder", r.New)
	}
	if r := with(replayplan.Row{}, []replayplan.Change{{Field: crm.FieldTitle, New: "lead -4"}}); r.New != "lead -4" {
		t.Errorf("a title became %q, want it as it is", r.New)
	}
	ground := event.CallResolved{
		Client: event.Client{Open: &event.Ref{Kind: "lead", ID: -4}, Others: []event.Ref{{Kind: "deal", ID: 5}}},
		Found:  &event.Found{Open: []event.Item{{Ref: event.Ref{Kind: "lead", ID: -4}, Contact: -5}}},
	}
	fill(&ground, map[int]int{-4: 40, -5: 50})
	if got := ground.Found.Open[0]; ground.Client.Open.ID != 40 || got.ID != 40 || got.Contact != 50 || ground.Client.Others[0].ID != 5 {
		t.Errorf("filled in: %+v, %+v; want lead 40 of contact 50", ground.Client.Open, got)
	}
}

// TestARowSaysWhatItsValuesDoNot holds the words of a row against what is done.
func TestARowSaysWhatItsValuesDoNot(t *testing.T) {
	file := written()
	lead, task := file.Journal["lead"], file.Journal["task:contact"]
	lead.Entity.Phone, lead.Entity.Stage = "+380671112233", "NEW"
	closed := *task.Task
	closed.Closed = true
	deal := event.Entity{Title: "Call", Responsible: 8, Stage: "NEW"}
	for _, c := range []struct {
		name      string
		entry     callfile.Entry
		now       event.BitrixCommand
		kind, why string
		keep      []string
	}{
		{"a phone", lead, event.BitrixCommand{Kind: event.KindLead, Entity: changed(*lead.Entity, func(e *event.Entity) { e.Phone = "+380671112299" })},
			replayplan.Update, "the number is added beside the old one, which only a person can take away", nil},
		{"a stage", lead, event.BitrixCommand{Kind: event.KindLead, Entity: changed(*lead.Entity, func(e *event.Entity) { e.Stage = "IN_PROCESS" })},
			replayplan.Update, "it is moved to that stage, with all that the portal does by itself then", nil},
		{"a task that was closed", callfile.Entry{Kind: event.KindTask, State: callfile.Confirmed, BitrixID: 20, Task: &closed}, event.BitrixCommand{Kind: event.KindTask, Task: changed(closed, func(t *event.Task) { t.Closed = false })},
			replayplan.Update, "it was closed by this program and is opened again", nil},
		{"a deadline that is not wanted", task, event.BitrixCommand{Kind: event.KindTask, Task: changed(*task.Task, func(t *event.Task) { t.Deadline = nil })},
			replayplan.Same, "deadline stays as it is: it is never emptied", nil},
		{"another pipeline", callfile.Entry{Kind: event.KindDeal, State: callfile.Confirmed, BitrixID: 30, Entity: &deal}, event.BitrixCommand{Kind: event.KindDeal, Entity: changed(deal, func(e *event.Entity) { e.Category, e.Stage = 9, "WAITS" })},
			replayplan.Update, "it is moved to that pipeline, with all that the portal does by itself then", nil},
	} {
		c.now.Role = "it"
		d := want(c.now, []event.BitrixCommand{c.now}, map[string]callfile.Entry{"it": c.entry})
		seen := &crm.SeenItem{Fields: values(c.entry.Kind, c.entry.Entity, c.entry.Task, func(event.Link) int { return 0 })}
		rows, keep := d.settle(seen, "close")
		if len(rows) != 1 || rows[0].Kind != c.kind || rows[0].Why != c.why || !slices.Equal(keep, c.keep) {
			t.Errorf("%s: rows %+v, kept %q; want one %s because %q, kept %q", c.name, rows, keep, c.kind, c.why, c.keep)
		}
	}
}

func changed[T any](v T, change func(*T)) *T {
	change(&v)
	return &v
}
