package main

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

// What people put where a name belongs. Each sets window.hostile if any part of it runs.
const (
	hostileScript = `<script>window.hostile='script'</script>`
	hostileImage  = `"><img src=x onerror="window.hostile='image'">`
	hostileLink   = `javascript:window.hostile='link'`
	// turned makes what follows read from right to left.
	turned = "\u202eevil\u2066"
)

// TestInTheBrowserHostileNamesStayText sends them through the whole pipeline, in every
// field that people or their browsers fill, and looks at every page.
func TestInTheBrowserHostileNamesStayText(t *testing.T) {
	name, _ := json.Marshal(hostileImage + " Koval")
	h := openHouse(t, bitrixtest.Options{}, "", "name: Olena Koval", "name: "+string(name), "- id: shop\n", "- id: shop\n    name: "+string(name)+"\n")
	long := strings.Repeat("long", 250)
	h.send(h.call("c1", with(visit, url.Values{
		"employee": {hostileScript}, "employee_name": {hostileScript}, "utm_source": {hostileScript}, "utm_campaign": {hostileImage}, "utm_term": {turned}, "utm_content": {long},
		"landing": {hostileLink}, "referrer": {hostileLink}, "recording": {hostileLink}, "user_agent": {hostileImage}, "department": {hostileScript}, "call_card": {hostileLink},
	})))
	h.send(h.call("c2", with(visit, nobodyTook, url.Values{"caller": {hostileScript}, "utm_source": {long}})))
	h.send(h.call(`c3"><img src=x onerror="window.hostile=3">`, url.Values{"caller": {"+380671112255"}, "staffid": {hostileImage}, "connected_with": {strangeLine}}))
	h.request(http.MethodPost, webhook, jsonBody, `{"call_id": "p1", "`+hostileScript)
	h.request(http.MethodPost, webhook, formBody, "status="+url.QueryEscape(hostileImage)+"&caller="+long)
	h.quiet()

	b := browse(t, h.base())
	b.refused(http.StatusNotFound)
	b.signIn(apiPass)
	for _, page := range append(everyPage("c1"), "/console/p/shop/calls/c2", "/console/p/shop/calls/"+url.PathEscape(`c3"><img src=x onerror="window.hostile=3">`)) {
		b.open(page)
		mustAsk[bool](b, `() => { document.querySelectorAll("main details").forEach((d) => d.open = true); return true }`)
		if bad := mustAsk[string](b, `() => [...document.querySelectorAll("a[href], form[action], img[src]")].map((e) => e.href ?? e.action ?? e.src).find((u) => !/^https?:/.test(u)) ?? ""`); bad != "" {
			t.Errorf("%s leads to %s", page, bad)
		}
		if n := mustAsk[int](b, `() => document.querySelectorAll("main script, main img[src=x], main iframe").length`); n != 0 {
			t.Errorf("%s holds %d parts that a hostile text made", page, n)
		}
		b.look(page + " with hostile texts")
	}
	// They are shown, as they were written.
	b.open("/console/p/shop/calls/c1")
	b.see(hostileScript)
	b.see("Koval")
	b.open("/console/p/shop/parked")
	mustAsk[bool](b, `() => { document.querySelectorAll("main details").forEach((d) => d.open = true); return true }`)
	b.see("<script>window.hostile", "pre")
}
