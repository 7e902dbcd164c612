package writer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// look answers what the portal holds of things that were written, so that a replay sees
// what people changed: all of them in one request, behind everything that is live.
func (d *desk) look(ctx context.Context, q crm.Look) (crm.Seen, error) {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	ids, custom := map[event.Kind][]int{}, map[event.Kind][]string{}
	for _, t := range q.Touched {
		ids[t.Kind] = append(ids[t.Kind], t.ID)
		custom[t.Kind] = append(custom[t.Kind], t.Custom...)
	}
	var commands []bitrix.Command
	var asked []event.Kind
	var keys []string
	for _, kind := range slices.Sorted(maps.Keys(ids)) {
		slices.Sort(custom[kind])
		for part := range slices.Chunk(ids[kind], 50) {
			command := bitrix.ReadItems(kinds[kind], part, slices.Compact(custom[kind]))
			if kind == event.KindTask {
				command = bitrix.ListTasks(part)
			}
			// Named after what is asked for, so that several such questions fit into one request.
			key := fmt.Sprintf("look_%s_%d", kind, part[0])
			commands, asked, keys = append(commands, command.As(key)), append(asked, kind), append(keys, key)
		}
	}
	if len(commands) == 0 {
		return crm.Seen{}, nil
	}
	answer, refused, err := d.read(ctx, crm.Lookup{Since: d.now(), Replay: true}, &unit{commands: commands})
	if err != nil || refused != nil {
		return crm.Seen{Refused: refused.In(d.locale())}, err
	}
	there := map[event.Ref]map[string]string{}
	for i, kind := range asked {
		if err := seen(kind, answer.Get(keys[i]), there); err != nil {
			return crm.Seen{}, err
		}
	}
	out := crm.Seen{Items: make([]crm.SeenItem, len(q.Touched))}
	for i, t := range q.Touched {
		fields, ok := there[event.Ref{Kind: string(t.Kind), ID: t.ID}]
		out.Items[i] = crm.SeenItem{Gone: !ok, Fields: fields}
	}
	return out, nil
}

// seen reads one list of things into the texts that they are compared by.
func seen(kind event.Kind, o bitrix.Outcome, there map[event.Ref]map[string]string) error {
	if kind == event.KindTask {
		tasks, err := bitrix.DecodeTasks(o.Result)
		for _, t := range tasks {
			fields := map[string]string{
				crm.FieldTitle: t.Title, crm.FieldDescription: t.Description, crm.FieldResponsible: strconv.Itoa(t.ResponsibleID),
				crm.FieldClosed: crm.Closed(t.Done()), crm.FieldDeadline: "", crm.FieldBoundTo: boundTo(t.CRM),
			}
			if !t.Deadline.IsZero() {
				fields[crm.FieldDeadline] = crm.Moment(t.Deadline)
			}
			there[event.Ref{Kind: string(kind), ID: t.ID}] = fields
		}
		return err
	}
	items, err := bitrix.DecodeItems(kinds[kind], o.Result)
	for _, i := range items {
		fields := maps.Clone(i.Fields) // custom fields go by their own names
		for theirs, ours := range map[string]string{
			"title": crm.FieldTitle, "name": crm.FieldName, "assignedById": crm.FieldResponsible, "sourceId": crm.FieldSource,
			"sourceDescription": crm.FieldSourceNote, "stageId": crm.FieldStage, "categoryId": crm.FieldCategory, "contactId": crm.FieldContact, "companyId": crm.FieldCompany,
			"comments": crm.FieldComments, "utmSource": crm.FieldUTMSource, "utmMedium": crm.FieldUTMMedium, "utmCampaign": crm.FieldUTMCampaign,
			"utmContent": crm.FieldUTMContent, "utmTerm": crm.FieldUTMTerm,
		} {
			if v, ok := i.Fields[theirs]; ok {
				fields[ours] = v
			}
		}
		for _, link := range []string{crm.FieldContact, crm.FieldCompany} {
			if fields[link] == "0" {
				fields[link] = ""
			}
		}
		there[event.Ref{Kind: string(kind), ID: i.ID}] = fields
	}
	return err
}

// boundTo turns the portal's notation (L_1) into words.
func boundTo(bindings []string) string {
	prefixes := map[string]event.Kind{"L": event.KindLead, "D": event.KindDeal, "C": event.KindContact, "CO": "company"}
	var out []string
	for _, b := range bindings {
		prefix, id, _ := strings.Cut(b, "_")
		out = append(out, string(prefixes[prefix])+" "+id)
	}
	return crm.Bound(out)
}
