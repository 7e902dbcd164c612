package check

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// field is a field of a kind with what decides whether it can be filled.
type field struct {
	bitrix.Field
	upper    string // as the settings name it
	label    string // as people see it
	multiple bool
}

// decodeItemFields reads a kind's fields with three things more than [bitrix.Field] has.
// https://apidocs.bitrix24.com/api-reference/crm/universal/crm-item-fields.html
func decodeItemFields(raw json.RawMessage) ([]field, error) {
	known, err := bitrix.DecodeFields(raw)
	if err != nil {
		return nil, err
	}
	var more struct{ Fields map[string]map[string]any }
	_ = json.Unmarshal(raw, &more) // what does not fit is left empty
	out := make([]field, len(known))
	for i, k := range known {
		text := func(name string) string { s, _ := more.Fields[k.Name][name].(string); return s }
		multiple, _ := more.Fields[k.Name]["isMultiple"].(bool)
		out[i] = field{Field: k, multiple: multiple,
			upper: cmp.Or(text("upperName"), k.Name), label: cmp.Or(text("formLabel"), text("listLabel"), k.Title)}
	}
	return out, nil
}

// custom reports whether an administrator made the field. Only these can be mandatory
// for a program: the portal has values of its own for the others.
func (f field) custom() bool { return strings.HasPrefix(f.upper, "UF_") }

// is reports whether the settings mean this field, in whichever way the portal spells
// the names of fields.
func (f field) is(name string) bool {
	return f.upper == name || fold(f.Name) == fold(name) || renamed[name] != "" && f.Name == renamed[name]
}

// renamed are the classic names that crm.item.* does not just spell differently.
var renamed = map[string]string{"STATUS_ID": "stageId", "DATE_CREATE": "createdTime", "DATE_MODIFY": "updatedTime",
	"CREATED_BY_ID": "createdBy", "MODIFY_BY_ID": "updatedBy"}

func fold(name string) string { return strings.ToLower(strings.ReplaceAll(name, "_", "")) }

// value is what a parameter holds.
type value string

const (
	words    value = "text"
	digits   value = "number"
	moment   value = "date"
	whatever value = "custom" // a parameter of the project's own
)

// parameters are our names of what Ringostat sends, with what they hold and whether
// every call has it. The list is that of the configuration's documentation.
var parameters = map[string]struct {
	holds  value
	always bool
}{
	"call_id": {words, true}, "event": {words, false}, "direction": {words, true}, "status": {words, true}, "date": {moment, true},
	"caller": {words, false}, "callee": {words, false}, "connected_with": {words, false}, "outbound_number": {words, false},
	"call_duration": {digits, false}, "waiting": {digits, false}, "talk": {digits, false},
	"recording": {words, false}, "recording_wav": {words, false}, "has_recording": {words, false},
	"employee_name": {words, false}, "employee_code": {words, false}, "extension": {words, false}, "department": {words, false},
	"scheme": {words, false}, "pool": {words, false}, "insertion_type": {words, false},
	"client_id": {words, false}, "landing": {words, false}, "referrer": {words, false}, "visitor_ip": {words, false},
	"user_agent": {words, false}, "call_card": {words, false},
	"utm_source": {words, false}, "utm_medium": {words, false}, "utm_campaign": {words, false}, "utm_content": {words, false}, "utm_term": {words, false},
}

// takes are the types of fields that take a kind of value as it is.
// https://apidocs.bitrix24.com/api-reference/crm/universal/user-defined-fields/index.html
var takes = map[value][]string{
	words:  {"string", "text", "char", "url"},
	digits: {"string", "text", "char", "integer", "double", "money"},
	moment: {"string", "text", "char", "datetime", "date"},
}

// fields says whether the fields of the settings can be filled, and whether the portal
// insists on fields that nobody fills.
func (d *doctor) fields(a answers) {
	kinds, ok := a.made(d.settings.Scenarios)
	if !ok {
		return
	}
	var told []bitrix.Kind
	for _, kind := range kinds {
		if d.known(a.fields[kind].err, "fields_"+kind.String(), false) {
			told = append(told, kind)
		}
	}
	d.filled(a, told)
	d.unused(kinds)
	d.misspelt()
	d.mandatory(a, told, len(told) == len(kinds))
}

// complaints gathers what is wrong with several fields under the findings to be made.
type complaints map[string][]string

func (c complaints) note(id, what string) { c[id] = append(c[id], what) }

func (d *doctor) tell(c complaints, ids ...string) (any bool) {
	for _, id := range ids {
		if len(c[id]) > 0 {
			d.add(id, "list", strings.Join(c[id], "; "))
			any = true
		}
	}
	return any
}

func (d *doctor) filled(a answers, kinds []bitrix.Kind) {
	c := complaints{}
	for _, kind := range kinds {
		wanted := d.settings.Fields[kind.String()]
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			i := slices.IndexFunc(a.fields[kind].value, func(f field) bool { return f.is(name) })
			if i < 0 {
				c.note("field.unknown", kind.String()+"."+name+d.nearField(name, a.fields[kind].value))
				continue
			}
			f := a.fields[kind].value[i]
			c.note(fits(f, wanted[name]), kind.String()+"."+name+" ← "+wanted[name]+" ("+f.Type+")")
		}
	}
	if c["fields"] != nil {
		d.add("fields", "list", strings.Join(c["fields"], "; "))
	}
	d.tell(c, "field.unknown", "field.read_only", "field.multiple", "field.type", "field.unsure")
}

// fits is the finding for a field that is filled from a parameter.
func fits(f field, parameter string) string {
	known, ours := parameters[parameter]
	switch {
	case f.ReadOnly:
		return "field.read_only"
	case f.multiple:
		return "field.multiple"
	case slices.Contains(takes[words], f.Type):
		return "fields"
	case !ours:
		return "field.unsure"
	case !slices.Contains(takes[known.holds], f.Type):
		return "field.type"
	}
	return "fields"
}

func (d *doctor) nearField(name string, all []field) string {
	var names []string
	for _, f := range all {
		if f.custom() == strings.HasPrefix(name, "UF_") && !f.ReadOnly {
			names = append(names, f.upper)
		}
	}
	if near := settings.Nearest(name, names); near != "" {
		return " — " + d.word("maybe", "that", near)
	}
	return ""
}

// unused are fields of kinds that calls don't make.
func (d *doctor) unused(made []bitrix.Kind) {
	var idle []string
	for _, kind := range []bitrix.Kind{bitrix.Lead, bitrix.Deal, bitrix.Contact, bitrix.Company} {
		if len(d.settings.Fields[kind.String()]) > 0 && !slices.Contains(made, kind) {
			idle = append(idle, "fields."+kind.String())
		}
	}
	if len(idle) > 0 {
		d.add("fields.unused", "list", strings.Join(idle, ", "))
	}
}

// misspelt are parameters that look like one of ours: they would be read as parameters
// of the project's own, which nobody sends.
func (d *doctor) misspelt() {
	ours := slices.Sorted(maps.Keys(parameters))
	c := complaints{}
	for _, entity := range slices.Sorted(maps.Keys(d.settings.Fields)) {
		wanted := d.settings.Fields[entity]
		for _, name := range slices.Sorted(maps.Keys(wanted)) {
			_, known := parameters[wanted[name]]
			if near := settings.Nearest(wanted[name], ours); !known && near != "" {
				c.note("field.parameter", entity+"."+name+" ← "+wanted[name]+" — "+d.word("maybe", "that", near))
			}
		}
	}
	d.tell(c, "field.parameter")
}

// mandatory compares what the portal insists on with what our commands fill. all says
// that no kind is missing.
func (d *doctor) mandatory(a answers, kinds []bitrix.Kind, all bool) {
	c := complaints{}
	for _, kind := range kinds {
		wanted := d.settings.Fields[kind.String()]
		for _, f := range a.fields[kind].value {
			if !f.Required || f.ReadOnly || !f.custom() {
				continue
			}
			name := kind.String() + "." + f.upper
			if f.label != f.upper {
				name += " «" + f.label + "»"
			}
			parameter := ""
			for n, p := range wanted {
				if f.is(n) {
					parameter = p
				}
			}
			switch {
			case parameter == "":
				c.note("mandatory.field", name)
			case !parameters[parameter].always:
				c.note("mandatory.sometimes", name+" ← "+parameter)
			}
		}
	}
	taskTold := d.known(a.taskFields.err, "task_fields", false)
	for _, f := range a.taskFields.value {
		if f.Required && strings.HasPrefix(f.Name, "UF_") {
			c.note("mandatory.task", f.Name+" «"+f.Title+"»")
		}
	}
	if !d.tell(c, "mandatory.field", "mandatory.sometimes", "mandatory.task") && taskTold && all {
		d.add("mandatory")
	}
}
