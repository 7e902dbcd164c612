package settings

import (
	"fmt"
	"slices"
	"time"
)

func readScenarios(b reader, p *Project, rules []string) {
	block, ok := b.block("scenarios", keysOf[Scenarios]())
	if !ok {
		return
	}
	s := &p.Scenarios
	block.text("new_client", &s.NewClient, "", oneOf("something a new client can become", "lead", "deal", "contact", "contact+lead", "contact+deal", "nothing"))
	block.text("missed_new_client", &s.MissedNewClient, "", oneOf("a way to hand out missed calls", "senior", "distribute"))
	if s.MissedNewClient == "distribute" && !slices.ContainsFunc(p.Employees, func(e Employee) bool { return e.TakesMissed }) {
		block.complain("missed_new_client", "distributes over employees, and no employee takes missed calls", "an employee with `takes_missed: true`, or senior")
	}
	block.span("review_due", &s.ReviewDue, time.Second, "3h")
	block.span("callback_due", &s.CallbackDue, time.Second, "1h")
	block.text("phone_match", &s.PhoneMatch, "", oneOf("a way to compare numbers", "all_spellings", "exact"))
	block.text("compensate", &s.Compensate, "", oneOf("a way to mark what should not exist", "close", "tag"))
	if pipeline, ok := block.block("pipeline", keysOf[Pipeline]()); ok {
		pipeline.whole("category", &s.Pipeline.Category, 0, "the id of a deal pipeline, a number from 0; 0 is the general one")
		pipeline.text("stage", &s.Pipeline.Stage, "the id of the stage that new leads and deals begin in, for example NEW", notEmpty, tidy)
		pipeline.text("source", &s.Pipeline.Source, "the id of a CRM source, for example CALL", notEmpty, tidy)
	}
	var checks []check
	if rules != nil {
		checks = append(checks, oneOf("the id of a rule", rules...))
	}
	s.Off = block.texts("off", "a list of rule ids, for example [outbound/contact]", checks...)
}

// Fields that hold our own mark: without it a repeated command could not find
// what the first one made.
var ownFields = []string{"ID", "ORIGINATOR_ID", "ORIGIN_ID"}

func readFields(b reader, p *Project) {
	entities := []string{"lead", "deal", "contact", "company"}
	block, ok := b.block("fields", entities)
	if !ok {
		return
	}
	p.Fields = map[string]map[string]string{}
	for _, entity := range entities {
		n := block.values[entity]
		path := join(block.path, entity)
		if n == nil || n.kind == nothing || n.kind == broken || !b.isBlock(n, path) {
			continue
		}
		p.Fields[entity] = map[string]string{}
		for _, e := range n.entries {
			readField(b.report, e, join(path, e.key), p.Fields[entity])
		}
	}
}

func readField(r *report, e entry, path string, into map[string]string) {
	const want = "the name of a CRM field in capitals: UF_CRM_GOOGLE_CID, COMMENTS"
	switch {
	case slices.Contains(ownFields, e.key):
		r.add(e.at, path, "holds this program's own mark", "another field")
		return
	case !fieldName.MatchString(e.key):
		r.add(e.at, path, fmt.Sprintf("%q is not the name of a CRM field", e.key), want)
		return
	}
	const wantName = "one of our names (client_id, landing, ...) or the name of a custom parameter"
	var name string
	if e.value.kind == nothing {
		r.add(e.at, path, "is empty", wantName)
		return
	}
	if r.scalar(e.value, path, &name, false, wantName, []check{notEmpty, tidy}) {
		into[e.key] = name
	}
}
