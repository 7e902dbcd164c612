package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// How the simulated portal reads what it is sent.

func status(t *thing) string {
	if t.closed {
		return "5"
	}
	return "2"
}

// bindings are the things that a task is bound to, by their external id where they are ours.
func (p *fakePortal) bindings(fields bitrix.Params, results map[string]int) (out []string) {
	values, _ := get(fields, "UF_CRM_TASK").([]any)
	for _, v := range values {
		written := fmt.Sprint(v)
		prefix, id, _ := strings.Cut(written, "_")
		n, err := strconv.Atoi(id)
		if err != nil {
			n = idNumber(id, results)
		}
		t := p.find(n)
		if t == nil || map[string]string{"L": "lead", "D": "deal", "C": "contact"}[prefix] != t.kind {
			p.world.broken(fmt.Sprintf("a task is bound to %s, which is not there", written))
			continue
		}
		out = append(out, cmpOr(t.external, prefix+"_"+strconv.Itoa(n)))
	}
	return out
}

func (p *fakePortal) write(t *thing, c bitrix.Command) {
	p.writes++
	fields, _ := get(c.Params, "fields").(bitrix.Params)
	for _, f := range fields {
		switch f.Name {
		case "title", "TITLE":
			t.title = text(f.Value)
		case "name":
			if t.kind == "contact" {
				t.title = text(f.Value)
			}
		case "comments", "DESCRIPTION":
			t.text = text(f.Value)
		case "assignedById", "RESPONSIBLE_ID":
			t.responsible = idNumber(f.Value, nil)
		case "DEADLINE":
			t.deadline, _ = f.Value.(time.Time)
		}
	}
}

// search is a list by external id or by what a task is bound to.
func (p *fakePortal) search(c bitrix.Command) json.RawMessage {
	filter, _ := get(c.Params, "filter").(bitrix.Params)
	matches := func(t *thing) bool { return t.kind == "task" }
	switch {
	case c.Method == "crm.item.list":
		ids, _ := get(filter, "@originId").([]string)
		matches = func(t *thing) bool { return t.kind != "task" && slices.Contains(ids, t.external) }
	case get(filter, "UF_CRM_TASK") != nil:
		bound := text(get(filter, "UF_CRM_TASK"))
		_, id, _ := strings.Cut(bound, "_")
		if to := p.find(idNumber(id, nil)); to != nil {
			bound = cmpOr(to.external, bound)
		}
		matches = func(t *thing) bool { return t.kind == "task" && slices.Contains(t.links, bound) }
	case !p.world.script.portal.ignoresXMLID:
		wanted := text(get(filter, "XML_ID"))
		matches = func(t *thing) bool { return t.kind == "task" && t.external == wanted }
	}
	since, _ := get(filter, ">=CREATED_DATE").(time.Time)
	var rows []byte
	for _, t := range p.things {
		if matches(t) && p.shows(t) && !t.created.Add(p.world.script.portal.clock).Before(since) {
			if len(rows) > 0 {
				rows = append(rows, ',')
			}
			rows = fmt.Appendf(rows, `{"id":"%d","originId":%q,"xmlId":%q,"status":"%s"}`, t.id, t.external, t.external, status(t))
		}
	}
	list := string(rows)
	return json.RawMessage(`{"items":[` + list + `],"tasks":[` + list + `]}`)
}

func get(p bitrix.Params, name string) any {
	for _, param := range p {
		if param.Name == name {
			return param.Value
		}
	}
	return nil
}

func text(v any) string { s, _ := v.(string); return s }

// number is an id that is given, or the one of an earlier command that is referred to.
func idNumber(v any, results map[string]int) int {
	switch v := v.(type) {
	case int:
		return v
	case string:
		if key, ok := strings.CutPrefix(v, "$result["); ok {
			key, _, _ = strings.Cut(key, "]")
			return results[key]
		}
		n, _ := strconv.Atoi(v)
		return n
	case bitrix.Reference:
		return idNumber(v.String(), results)
	}
	return 0
}

func raw(before string, id int, after string) json.RawMessage {
	return json.RawMessage(before + strconv.Itoa(id) + after)
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
