package check

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
)

// refusals are the findings for a portal that told nothing at all, by the reason.
var refusals = map[bitrix.Reason]string{
	bitrix.ReasonUnreachable: "address.unreachable",
	bitrix.ReasonTimeout:     "address.timeout",
	bitrix.ReasonForbidden:   "address.forbidden",
	bitrix.ReasonMoved:       "address.elsewhere",
	bitrix.ReasonUnreadable:  "address.not_bitrix24",
	bitrix.ReasonCredentials: "credentials",
	bitrix.ReasonPlan:        "plan",
	bitrix.ReasonPortalGone:  "portal.gone",
	bitrix.ReasonQueryLimit:  "portal.busy",
	bitrix.ReasonOverload:    "portal.overload",
	bitrix.ReasonCancelled:   "stopped",
}

// causes tell failed connections apart. The client's own words are all there is.
var causes = []struct{ mention, id string }{
	{"resolved", "address.name"}, {"certificate", "address.tls"}, {"TLS", "address.tls"},
}

// unreachable says why the portal told nothing. There is nothing to add to it.
func (d *doctor) unreachable(e *bitrix.Error) {
	id, ok := refusals[e.Reason]
	if !ok {
		id = "address.refused"
	}
	why := ""
	if cause := errors.Unwrap(e); cause != nil {
		why = cause.Error()
	}
	switch {
	case e.Status >= 500 && (e.Reason == bitrix.ReasonUnreadable || e.Reason == bitrix.ReasonUnknown):
		id = "portal.fault"
	case e.Reason == bitrix.ReasonUnreadable && e.Stage == bitrix.StageSent:
		id = "address.unreachable"
	case strings.EqualFold(e.Code, "INVALID_REQUEST"):
		id = "address.https"
	case strings.EqualFold(e.Code, "authorization_error"):
		id = "owner.inactive"
	}
	if id == "address.unreachable" {
		for _, c := range causes {
			if strings.Contains(why, c.mention) {
				id = c.id
				break
			}
		}
	}
	d.add(id, "why", why, "status", strconv.Itoa(e.Status), "answer", d.explain(e))
}

// explain is an error in words for people. Nothing was written, so what the words say
// about an unknown outcome is left out.
func (d *doctor) explain(err error) string {
	e := *asError(err)
	if e.Class == bitrix.Ambiguous || e.Class == bitrix.NotRun {
		e.Class = bitrix.Wait
	}
	return e.Human(d.report.lang)
}

// portal says whether the address is right, who the webhook is and what it may do.
func (d *doctor) portal(a answers) {
	if a.moved != "" {
		d.add("address.moved", "to", a.moved)
	} else {
		d.add("address")
	}
	d.owner(a)
	d.scopes(a)
	d.mode(a)
}

func (d *doctor) owner(a answers) {
	if !d.known(a.owner.err, "owner", false) {
		return
	}
	owner := a.owner.value
	if owner == nil {
		d.add("owner.inactive")
		return
	}
	d.add("owner", "name", owner.FullName(), "id", number(owner.ID))
	if owner.Admin {
		d.add("admin")
	} else {
		d.add("admin.missing", "name", owner.FullName())
	}
}

// scopeNames are the scopes that are looked for, each with the names under which the
// portal gives as much.
// https://apidocs.bitrix24.com/api-reference/scopes/permissions.html
var scopeNames = []struct {
	id     string
	enough []string
}{
	{"scope.crm", []string{"crm"}},
	{"scope.task", []string{"task"}},
	{"scope.user", []string{"user", "user_basic", "user_brief"}},
	{"scope.telephony", []string{"telephony"}},
}

func (d *doctor) scopes(a answers) {
	if !d.known(a.scopes.err, "scopes", false) {
		return
	}
	var ticked, missing []string
	for _, s := range scopeNames {
		i := slices.IndexFunc(s.enough, func(name string) bool { return slices.Contains(a.scopes.value, name) })
		if i < 0 {
			missing = append(missing, s.id)
			continue
		}
		ticked = append(ticked, s.enough[i])
	}
	if len(ticked) > 0 {
		d.add("scopes", "list", strings.Join(ticked, ", "))
	}
	for _, id := range missing {
		d.add(id)
	}
}

func (d *doctor) mode(a answers) {
	if !d.known(a.leads.err, "mode", false) {
		return
	}
	wanted := d.settings.Scenarios.NewClient
	kinds, _ := a.made(d.settings.Scenarios)
	becomes := d.word("kind.nothing")
	if len(kinds) > 0 {
		becomes = d.kinds(kinds)
	}
	switch {
	case a.leads.value:
		d.add("mode", "becomes", becomes)
	case wanted == "lead" || wanted == "contact+lead":
		d.add("mode.contradiction", "setting", wanted, "becomes", becomes)
	default:
		d.add("mode.without_leads", "becomes", becomes)
	}
	if wanted == "deal" {
		d.add("mode.deal_alone")
	}
}

func (d *doctor) kinds(kinds []bitrix.Kind) string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = d.word("kind." + k.String())
	}
	return strings.Join(names, " + ")
}

// extras are the things that calls get written without.
func (d *doctor) extras(a answers) {
	if d.known(a.register.err, "calls", true) {
		switch a.register.value {
		case callsAllowed:
			d.add("calls")
		case callsRefused:
			d.add("calls.refused")
		}
	}
	if d.known(a.search.err, "task_search", true) {
		switch a.search.value {
		case searchWorks:
			d.add("task_search")
		case searchIgnored:
			d.add("task_search.ignored")
		}
	}
	pace := d.settings.Bitrix24.Pace
	rate := strconv.FormatFloat(pace.PerSecond, 'f', -1, 64)
	// The most generous plan; self-hosted portals (any other name) have no such limit.
	// https://apidocs.bitrix24.com/limits.html
	if strings.Contains(d.host, ".bitrix24.") && (pace.PerSecond > 5 || pace.Burst > 250) {
		d.add("pace.high", "rate", rate, "burst", number(pace.Burst))
		return
	}
	d.add("pace", "rate", rate, "burst", number(pace.Burst))
}

func number(n int) string { return strconv.Itoa(n) }
