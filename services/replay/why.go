package replay

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/callfile"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file says in words why a call is decided otherwise today.

func (p *planning) why(ctx context.Context, v *verdict, f callfile.File, call event.Call) string {
	var parts []string
	old := f.Resolved
	if old == nil {
		parts = append(parts, "its request can be read now")
	} else {
		if v.ruleOld != v.ruleNew {
			parts = append(parts, fmt.Sprintf("rule %s instead of %s", v.ruleNew, v.ruleOld))
		}
		read := factsChanged(old.Facts, call)
		parts = append(parts, read...)
		if owner := v.Ground.Client.Owner; owner != old.Client.Owner && owner != 0 && old.Client.Owner != 0 {
			parts = append(parts, fmt.Sprintf("the client's responsible is user %d, not %d", owner, old.Client.Owner))
		}
		// What is read otherwise is reason enough; else the settings are.
		if changes := p.settingsChanged(ctx, old.Revision); changes != "" && len(read) == 0 {
			parts = append(parts, changes)
		}
		if old.Code != "" && old.Code != p.Version {
			parts = append(parts, fmt.Sprintf("decided by version %s, not %s", p.Version, old.Code))
		}
	}
	return strings.Join(parts, "; ")
}

// factsChanged names what the same requests say otherwise today.
func factsChanged(old, now event.Call) (out []string) {
	switch was, is := old.Employee, now.Employee; {
	case was == nil && is != nil:
		out = append(out, fmt.Sprintf("line %s is %s (user %d) now", now.AnsweredOn, is.Name, is.BitrixUser))
	case was != nil && is == nil:
		out = append(out, fmt.Sprintf("line %s is nobody's now", now.AnsweredOn))
	case was != nil && was.BitrixUser != is.BitrixUser:
		out = append(out, fmt.Sprintf("%s is user %d now, not %d", is.Name, is.BitrixUser, was.BitrixUser))
	case was != nil && *was != *is:
		out = append(out, fmt.Sprintf("the line is %s now, not %s", is.Name, was.Name))
	}
	if old.Client != now.Client {
		out = append(out, fmt.Sprintf("the client's number is %s, not %s", orHidden(now.Client), orHidden(old.Client)))
	}
	if a, b := old.StartedAt, now.StartedAt; a != nil && b != nil && !a.Equal(*b) {
		out = append(out, fmt.Sprintf("it began at %s, not %s", b.Format(time.RFC3339), a.Format(time.RFC3339)))
	}
	if old.Outcome != now.Outcome || old.Direction != now.Direction {
		out = append(out, fmt.Sprintf("it is %s and %s, not %s and %s", now.Direction, now.Outcome, old.Direction, old.Outcome))
	}
	return out
}

func orHidden(number string) string {
	if number == "" {
		return "hidden"
	}
	return number
}

// settingsChanged names what is other in the settings than at a revision.
func (p *planning) settingsChanged(ctx context.Context, revision int) string {
	if revision == p.settings.Number {
		return ""
	}
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
	if old == nil || now == nil {
		return fmt.Sprintf("settings revision %d instead of %d", p.settings.Number, revision)
	}
	keys := map[string]bool{}
	for k := range old {
		keys[k] = old[k] != now[k]
	}
	for k := range now {
		keys[k] = old[k] != now[k]
	}
	var changes []string
	for _, k := range slices.Sorted(maps.Keys(keys)) {
		if keys[k] {
			changes = append(changes, fmt.Sprintf("%s: %s → %s", k, orNothing(old[k]), orNothing(now[k])))
		}
	}
	const most = 4
	if len(changes) > most {
		changes = append(changes[:most], fmt.Sprintf("and %d more", len(changes)-most))
	}
	return fmt.Sprintf("settings revision %d instead of %d: %s", p.settings.Number, revision, strings.Join(changes, ", "))
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
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
