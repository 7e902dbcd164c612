package console

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
)

// parkedOften parks requests that could not be read, a few in each minute.
func (d *desk) parkedOften(n int, body string) {
	d.t.Helper()
	for i := range n {
		request := d.publish(event.First("ingress", morning, &event.CallReceived{
			Project: "shop", Source: event.FromWebhook, Method: "POST", Body: []byte(body), ReceivedAt: morning}))
		d.publish(event.Next(request, "test", morning.Add(time.Duration(i/4)*time.Minute), &event.CallParked{
			ID: event.Derive("parked", request.ID, "classify"), Project: "shop", State: event.ParkedWaiting, Received: []string{request.ID}, Step: "classify",
			Reason: "the request has no call id", Remedy: "correct the webhook and retry",
		}))
	}
}

// parkedPages follows the list to its end.
func (d *desk) parkedPages(query string) (pages [][]parkedItem) {
	d.t.Helper()
	next := ""
	for len(pages) < 200 {
		page := get[list[parkedItem]](d, shop+"/parked?"+query+"&cursor="+url.QueryEscape(next))
		pages = append(pages, page.Items)
		if next = page.Next; next == "" {
			return pages
		}
	}
	d.t.Fatalf("the list of what is parked has no end: %d pages of %s", len(pages), query)
	return nil
}

func TestWhatIsParkedComesPageByPageAndEachThingOnce(t *testing.T) {
	const many = 130
	d := openDesk(t)
	d.parkedOften(many, "call_id=1")
	for query, size := range map[string]int{"": 50, "limit=7": 7, "limit=500": many, "limit=65": 65} {
		seen := map[string]bool{}
		var last time.Time
		pages := d.parkedPages(query)
		for n, page := range pages {
			if full := n < len(pages)-1; full && len(page) != size || len(page) == 0 {
				t.Errorf("%q: page %d of %d has %d things, want %d", query, n+1, len(pages), len(page), size)
			}
			for _, item := range page {
				if seen[item.ID] || !last.IsZero() && item.ParkedAt.After(last) {
					t.Errorf("%q: %s of %s stands twice, or after an older one", query, item.ID, item.ParkedAt)
				}
				seen[item.ID], last = true, item.ParkedAt
			}
		}
		if len(seen) != many {
			t.Errorf("%q: %d things on %d pages, want %d", query, len(seen), len(pages), many)
		}
	}
}

func TestAPageOfParkedThingsIsNoBiggerThanABrowserTakes(t *testing.T) {
	const many, size = 40, 250 << 10
	d := openDesk(t)
	d.parkedOften(many, strings.Repeat("x", size))
	things := 0
	for _, page := range d.parkedPages("limit=500") {
		bytes := 0
		for _, item := range page {
			bytes += len(item.Raw[0].Body)
		}
		if len(page) == 0 || bytes > mostRaw+size {
			t.Errorf("a page of %d things holds %d bytes of their requests, want one thing at least and hardly more than %d bytes", len(page), bytes, mostRaw)
		}
		things += len(page)
	}
	if things != many {
		t.Errorf("%d things on all pages, want %d", things, many)
	}
}

func TestAPageOfParkedThingsThatCannotBeIsRefused(t *testing.T) {
	d := openDesk(t)
	d.parkedOften(1, "call_id=1")
	for _, query := range []string{"limit=0", "limit=501", "limit=many", "limit=-1", "cursor=nonsense", "cursor=MQ"} {
		if w := d.ask(http.MethodGet, shop+"/parked?"+query, ""); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s, want 400", query, w.Code, w.Body)
		}
	}
}

func TestWhatIsNotParkedAnyMoreSaysWhatBecameOfIt(t *testing.T) {
	d := openDesk(t)
	says := func(id, want string) {
		t.Helper()
		w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", "")
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), want) {
			t.Errorf("a retry of what is not parked: %d %s, want 404 and %q", w.Code, w.Body, want)
		}
	}
	retry := func(id string) event.Envelope {
		t.Helper()
		before := len(d.every())
		if w := d.ask(http.MethodPost, shop+"/parked/"+id+"/retry", ""); w.Code != http.StatusOK {
			t.Fatalf("retry: %d %s", w.Code, w.Body)
		}
		return d.every()[before]
	}
	says("none", "Nothing with this id")

	request := d.received()
	first := d.parkedAt(request, "classify", "", request.ID)
	again := retry(first)
	says(first, "It was tried again")
	second := d.parkedAt(again, "classify", "", again.ID)
	says(first, "is parked again as "+second)
	third := retry(second)
	last := d.parkedAt(third, "classify", "", third.ID)
	says(first, "is parked again as "+last)
	d.ask(http.MethodPost, shop+"/parked/"+last+"/drop", `{"why":"a test"}`)
	says(last, "It was dropped")
	says(first, "It was tried again, and then dropped")

	classified, _ := d.settled("1", 0, event.Refused)
	once := d.parkedAt(classified, "plan", "1")
	reread := retry(once)
	twice := d.parkedAt(d.classified(reread, aCall("1", 0), byHand), "resolve", "1", reread.ID)
	says(once, "Of call 1 "+twice+" is parked now")
	retry(twice)
	says(once, "The story of call 1")
}
