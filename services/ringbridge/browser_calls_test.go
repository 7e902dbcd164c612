package main

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp/kb"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
)

const tabKey = kb.Tab

// desk is a house that somebody looks at, signed in.
func desk(t *testing.T, more string) (*house, *tab) {
	t.Helper()
	h := openHouse(t, bitrixtest.Options{}, more)
	b := browse(t, h.base())
	b.signIn(apiPass)
	return h, b
}

func TestInTheBrowserACallArrivesByItselfAndItsStoryIsReadByKeyboard(t *testing.T) {
	h, b := desk(t, "")
	b.open("/console/p/shop/calls")
	b.look("no calls yet")
	mustAsk[bool](b, `() => window.stays = true`)
	h.sendTo("?event=before", h.call("live.1", with(goesOn, url.Values{"connected_with": {""}, "staffid": {""}})))
	b.see("380 67 111 22 33")
	b.see("goes on")
	b.look("a call that rings")
	h.send(h.call("live.1", visit))
	b.see("done")
	if n := b.count("a.call"); n != 1 {
		t.Errorf("%d rows for a call that rang and ended, want one", n)
	}
	if !mustAsk[bool](b, `() => window.stays === true`) {
		t.Error("the page was loaded again, want the call to arrive in it")
	}
	b.look("a call")

	b.press(kb.Home)
	mustAsk[bool](b, `() => { document.activeElement?.blur(); return true }`)
	b.press(kb.Tab)
	if got := b.focused(); got != "Skip to content" {
		t.Errorf("the first thing that the keyboard reaches is %q, want the way past the menu", got)
	}
	b.press(kb.Enter)
	b.tabTo("a.call")
	b.press(kb.Enter)
	b.until("the story is open", `() => location.pathname.endsWith("/calls/live.1") && document.readyState === "complete"`)
	for _, want := range []string{"Olena Koval", "google", "answered/new", "Lead", "Task"} {
		b.see(want, "#story")
	}
	b.look("a story")
	lead := only(t, "leads", h.portal.Leads())
	link := mustAsk[string](b, `() => [...document.querySelectorAll("#story a")].map((a) => a.href).find((h) => h.includes("/crm/lead/details/")) ?? ""`)
	if portal, _, _ := strings.Cut(h.address, "/rest/"); !strings.HasPrefix(link, portal+"/crm/lead/details/") || !strings.Contains(link, fmt.Sprintf("/%d/", lead.ID)) {
		t.Errorf("the link to the lead is %q, want %s/crm/lead/details/%d/", link, portal, lead.ID)
	}
	b.tabTo("#story summary")
	b.press(kb.Enter)
	if n := b.count("#story details[open]"); n != 1 {
		t.Errorf("%d parts are unfolded by the keyboard, want one", n)
	}
	b.look("a story with a part unfolded")
}

func TestInTheBrowserCallsAreFoundByWhatIsKnownOfThem(t *testing.T) {
	h, b := desk(t, "")
	h.send(h.call("c1", nil))
	h.send(h.call("c2", nobodyTook))
	h.quiet()
	b.open("/console/p/shop/calls")
	b.see("380 67 111 22 33")
	b.see("380 67 111 22 44")
	b.fill("Client's number", "067 111-22-44")
	b.press(kb.Enter)
	b.gone("380 67 111 22 33", "#live")
	b.see("380 67 111 22 44")
	b.refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
	b.fill("Client's number", "no number")
	b.press(kb.Enter)
	b.until("the search is refused in words", `() => document.querySelector(".trouble")?.innerText.length > 10`)
	b.look("a search for what is no number")
}

func TestInTheBrowserWhatIsParkedIsTriedAgainOrDroppedWithAReason(t *testing.T) {
	h, b := desk(t, "")
	b.open("/console/p/shop/parked")
	b.look("nothing is parked")
	broken := func(body string) {
		code, _ := h.request(http.MethodPost, "/ringostat/shop/"+hook, "application/json", body)
		if code != http.StatusOK {
			t.Fatalf("a broken webhook is answered %d", code)
		}
	}
	broken(`{"call_id": "p1", "oops"`)
	h.send(h.call("", url.Values{"number_of_call": {"p2"}}))
	h.until("two things are parked", func() bool { return len(h.parked()) == 2 })
	b.open("/console/p/shop/parked")
	b.look("two things are parked")
	// Broken for good: dropped, and not without a reason.
	b.refused(http.StatusBadRequest, http.StatusUnprocessableEntity)
	item := mustAsk[string](b, `() => [...document.querySelectorAll("li.panel")].find((e) => e.textContent.includes("oops")).id`)
	b.click("Select", in(`[id="`+item+`"]`))
	b.click("Drop selected")
	b.see("Write why you drop it.")
	b.look("dropped without a reason")
	b.fill("Why you drop it", "sent by hand, broken")
	b.click("Drop selected")
	b.see("dropped", "[role=status]")
	b.look("something was dropped")
	if left := h.parked(); len(left) != 1 || !strings.Contains(left[0].Raw[0].Body, "p2") {
		t.Fatalf("parked are %+v, want the renamed parameter only", left)
	}

	// A renamed parameter: told in the settings, then tried again.
	h.correct(func(block map[string]any) {
		block["ringostat"].(map[string]any)["fields"] = map[string]string{"call_id": "number_of_call"}
	})
	b.click("Select all")
	b.click("Retry selected")
	b.see("is tried again")
	h.quiet()
	only(t, "leads", h.portal.Leads())
	b.open("/console/p/shop/parked")
	b.see("Nothing")
}

// nobodyTook is what a call that nobody took reports otherwise; its client is another
// one than that of other calls.
var nobodyTook = url.Values{"caller": {"+380671112244"}, "status": {"NO ANSWER"}, "dialog": {"0"}, "recording": {""}, "has_recording": {""}}
