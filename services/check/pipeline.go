package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

// pipeline says whether new leads and deals find their funnel, stage and source.
func (d *doctor) pipeline(a answers) {
	kinds, ok := a.made(d.settings.Scenarios)
	if !ok || len(kinds) == 0 {
		return
	}
	pipeline := d.settings.Scenarios.Pipeline
	if slices.Contains(kinds, bitrix.Lead) {
		d.leadStage(a)
	}
	if slices.Contains(kinds, bitrix.Deal) {
		d.dealStage(a)
	}
	if d.known(a.sources.err, "sources", false) {
		i := slices.IndexFunc(a.sources.value, func(s bitrix.Status) bool { return s.ID == pipeline.Source })
		if i < 0 {
			d.add("source.unknown", "id", pipeline.Source, "valid", list(a.sources.value), "maybe", d.nearest(pipeline.Source, a.sources.value))
		} else {
			d.add("source", "source", shown(a.sources.value[i]))
		}
	}
}

func (d *doctor) leadStage(a answers) {
	pipeline := d.settings.Scenarios.Pipeline
	if pipeline.Category != 0 {
		d.add("category.unused", "id", number(pipeline.Category))
	}
	if strings.Contains(pipeline.Stage, ":") {
		d.add("stage.deal", "id", pipeline.Stage)
		return
	}
	if d.known(a.leadStages.err, "lead_stages", false) {
		d.stage(pipeline.Stage, d.word("where.leads"), a.leadStages.value)
	}
}

func (d *doctor) dealStage(a answers) {
	pipeline := d.settings.Scenarios.Pipeline
	if !d.known(a.categories.err, "categories", false) {
		return
	}
	i := slices.IndexFunc(a.categories.value, func(c bitrix.Category) bool { return c.ID == pipeline.Category })
	if i < 0 {
		names := make([]string, len(a.categories.value))
		for i, c := range a.categories.value {
			names[i] = fmt.Sprintf("%d (%s)", c.ID, c.Name)
		}
		d.add("category.unknown", "id", number(pipeline.Category), "valid", some(names))
		return
	}
	if !d.known(a.dealStages.err, "deal_stages", false) {
		return
	}
	wanted := pipeline.Stage
	// As it is written: stages outside the general funnel carry the funnel in front.
	if pipeline.Category != 0 && wanted != "" && !strings.Contains(wanted, ":") {
		wanted = fmt.Sprintf("C%d:%s", pipeline.Category, wanted)
	}
	d.stage(wanted, d.word("where.deals", "name", a.categories.value[i].Name), a.dealStages.value)
}

// stage says whether something new may begin in a stage.
func (d *doctor) stage(id, where string, all []bitrix.Status) {
	i := slices.IndexFunc(all, func(s bitrix.Status) bool { return s.ID == id })
	working := slices.DeleteFunc(slices.Clone(all), func(s bitrix.Status) bool { return s.Semantic != "P" })
	switch {
	case i < 0:
		d.add("stage.unknown", "id", id, "where", where, "valid", list(working), "maybe", d.nearest(id, working))
	case all[i].Semantic != "P":
		d.add("stage.closed", "stage", shown(all[i]), "where", where, "valid", list(working))
	default:
		d.add("stage", "stage", shown(all[i]), "where", where)
	}
}

// shown is a directory's entry as the settings want it, with its name.
func shown(s bitrix.Status) string { return fmt.Sprintf("%s (%s)", s.ID, s.Name) }

func list(all []bitrix.Status) string {
	names := make([]string, len(all))
	for i, s := range all {
		names[i] = shown(s)
	}
	return some(names)
}

// some joins as many names as a person reads.
func some(names []string) string {
	const enough = 15
	if len(names) > enough {
		names = append(slices.Clone(names[:enough]), "…")
	}
	return strings.Join(names, ", ")
}

// nearest guesses which entry is meant, by its id or by its name.
func (d *doctor) nearest(id string, all []bitrix.Status) string {
	var ids, names []string
	for _, s := range all {
		ids, names = append(ids, s.ID), append(names, s.Name)
	}
	near := settings.Nearest(id, ids)
	if near == "" {
		if name := settings.Nearest(id, names); name != "" {
			near = ids[slices.Index(names, name)]
		}
	}
	if near == "" {
		return ""
	}
	return d.word("perhaps", "that", near)
}
