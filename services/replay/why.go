package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/replayplan"
)

// This file says why a call is decided otherwise today.

func (p *planning) why(ctx context.Context, v *verdict, f callfile.File, call event.Call) (out []replayplan.Reason) {
	old := f.Resolved
	if old == nil {
		return []replayplan.Reason{replayplan.Because(replayplan.Readable)}
	}
	if v.ruleOld != v.ruleNew {
		out = append(out, replayplan.Because(replayplan.OtherRule, "rule", v.ruleNew, "before", v.ruleOld))
	}
	read := factsChanged(old.Facts, call)
	out = append(out, read...)
	if owner := v.Ground.Client.Owner; owner != old.Client.Owner && owner != 0 && old.Client.Owner != 0 {
		out = append(out, replayplan.Because(replayplan.OtherOwner, "user", owner, "before", old.Client.Owner))
	}
	// What is read otherwise is reason enough; else the settings are.
	if old.Revision != p.settings.Number && len(read) == 0 {
		out = append(out, p.settingsChanged(ctx, old.Revision))
	}
	if old.Code != "" && old.Code != p.Version {
		out = append(out, replayplan.Because(replayplan.OtherVersion, "version", p.Version, "before", old.Code))
	}
	return out
}

// factsChanged names what the same requests say otherwise today.
func factsChanged(old, now event.Call) (out []replayplan.Reason) {
	because := func(code replayplan.Code, pairs ...any) { out = append(out, replayplan.Because(code, pairs...)) }
	switch was, is := old.Employee, now.Employee; {
	case was == nil && is != nil:
		because(replayplan.LineOf, "line", now.AnsweredOn, "name", is.Name, "user", is.BitrixUser)
	case was != nil && is == nil:
		because(replayplan.LineOfNobody, "line", now.AnsweredOn)
	case was != nil && was.BitrixUser != is.BitrixUser:
		because(replayplan.OtherUser, "name", is.Name, "user", is.BitrixUser, "before", was.BitrixUser)
	case was != nil && *was != *is:
		because(replayplan.OtherEmployee, "name", is.Name, "before", was.Name)
	}
	if old.Client != now.Client {
		because(replayplan.OtherNumber, "number", now.Client, "before", old.Client)
	}
	if a, b := old.StartedAt, now.StartedAt; a != nil && b != nil && !a.Equal(*b) {
		because(replayplan.OtherStart, "at", b.Format(time.RFC3339), "before", a.Format(time.RFC3339))
	}
	if old.Outcome != now.Outcome || old.Direction != now.Direction {
		because(replayplan.OtherOutcome, "direction", now.Direction, "outcome", now.Outcome, "direction_before", old.Direction, "outcome_before", old.Outcome)
	}
	return out
}

// settingsChanged names what is other in the settings than at a revision.
func (p *planning) settingsChanged(ctx context.Context, revision int) replayplan.Reason {
	if len(p.blocks) == 0 {
		p.blocks[0] = map[string]string{}
		err := p.Bus.Past(ctx, bus.View{
			Name: "replay-settings", Project: p.settings.ID, Types: []event.Type{event.TypeSettingsChanged},
			Apply: func(_ context.Context, batch []bus.Recorded) error {
				for _, e := range batch {
					if changed, err := event.As[event.SettingsChanged](e.Envelope); err == nil {
						p.blocks[changed.Revision] = flat(changed.Settings)
					}
				}
				return nil
			},
		})
		if err != nil {
			p.Log.Warn("the older settings could not be read for a replay: " + err.Error())
		}
	}
	old, now := p.blocks[revision], p.blocks[p.settings.Number]
	keys := map[string]bool{}
	for k := range old {
		keys[k] = old[k] != now[k]
	}
	for k := range now {
		keys[k] = old[k] != now[k]
	}
	var changes []replayplan.Change
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if keys[k] {
			changes = append(changes, replayplan.Change{Field: k, Old: old[k], New: now[k]})
		}
	}
	if old == nil || now == nil || len(changes) == 0 {
		return replayplan.Because(replayplan.OtherRevision, "revision", p.settings.Number, "before", revision)
	}
	const most = 4
	more := ""
	if len(changes) > most {
		more, changes = strconv.Itoa(len(changes)-most), changes[:most]
	}
	reason := replayplan.Because(replayplan.OtherSettings, "revision", p.settings.Number, "before", revision, replayplan.More, more)
	reason.Settings = changes
	return reason
}

// flat is a JSON document as paths and values.
func flat(raw json.RawMessage) map[string]string {
	out := map[string]string{}
	var v any
	if err := json.Unmarshal(raw, &v); err == nil {
		flatten("", v, out)
	}
	return out
}

func flatten(path string, v any, out map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			flatten(strings.TrimPrefix(path+"."+k, "."), inner, out)
		}
	case []any:
		for i, inner := range v {
			flatten(fmt.Sprintf("%s[%d]", path, i), inner, out)
		}
	default:
		out[path] = fmt.Sprint(v)
	}
}
