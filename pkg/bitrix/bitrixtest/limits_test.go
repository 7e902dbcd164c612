package bitrixtest

import (
	"testing"
	"time"
)

func TestExactlyFiftyRequestsFitTheBucketAndTwoASecondLeakOut(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now})
	for i := range 50 {
		if status, body := r.send("profile", m{}); status != 200 {
			t.Fatalf("request %d: got %d %v, want 200", i+1, status, body)
		}
	}
	r.refused("profile", m{}, 503, "QUERY_LIMIT_EXCEEDED")
	c.move(499 * time.Millisecond)
	r.refused("profile", m{}, 503, "QUERY_LIMIT_EXCEEDED")
	c.move(time.Millisecond)
	r.get("profile", m{})
	r.refused("profile", m{}, 503, "QUERY_LIMIT_EXCEEDED")
	c.move(3 * time.Second)
	passed := 0
	for range 20 {
		if status, _ := r.send("profile", m{}); status == 200 {
			passed++
		}
	}
	if passed != 6 {
		t.Errorf("after 3 s %d requests passed, want 6", passed)
	}
}

func TestThePlanDecidesTheBucket(t *testing.T) {
	for plan, want := range map[Plan]int{Standard: 50, Enterprise: 250, Unlimited: 400} {
		r := portal(t, Options{Plan: plan})
		passed := 0
		for range 400 {
			if status, _ := r.send("profile", m{}); status == 200 {
				passed++
			}
		}
		if passed != want {
			t.Errorf("plan %d: %d requests passed, want %d", plan, passed, want)
		}
	}
}

func TestABatchIsOneRequest(t *testing.T) {
	r := portal(t, Options{})
	for i := range 50 {
		if status, body := r.send("batch", batchOf("a", "profile", "b", "profile", "c", "profile")); status != 200 {
			t.Fatalf("batch %d: got %d %v", i+1, status, body)
		}
	}
	r.refused("batch", batchOf("a", "profile"), 503, "QUERY_LIMIT_EXCEEDED")
}

func TestAnotherProgramOnTheSameAddressFillsTheBucket(t *testing.T) {
	r := portal(t, Options{})
	r.SpendBucket("192.0.2.1", 45)
	passed := 0
	for range 10 {
		if status, _ := r.send("profile", m{}); status == 200 {
			passed++
		}
	}
	if passed != 5 {
		t.Errorf("%d requests passed beside 45 of another program, want 5", passed)
	}
}

// heavy takes 200 s for each crm.lead.add and nothing for the rest.
func heavy(method string) time.Duration {
	if method == "crm.lead.add" {
		return 200 * time.Second
	}
	return 0
}

func TestAMethodIsBlockedOnceItsTimeIsUsedUpAndOthersAreNot(t *testing.T) {
	c := newClock()
	r := portal(t, Options{Now: c.now, CommandTime: heavy, RequestLimit: time.Hour})
	for i := range 3 {
		_, body := r.send("crm.lead.add", m{"fields": m{"TITLE": "x"}})
		if got, want := at(body, "time", "operating"), float64(200*(i+1)); got != want {
			t.Errorf("operating after %d calls: got %v, want %v", i+1, got, want)
		}
		if got, want := at(body, "time", "operating_reset_at"), float64(newClock().t.Add(10*time.Minute).Unix()); got != want {
			t.Errorf("operating_reset_at: got %v, want %v", got, want)
		}
		c.move(90 * time.Second)
	}
	r.refused("crm.lead.add", m{"fields": m{"TITLE": "x"}}, 429, "OPERATION_TIME_LIMIT")
	r.get("crm.lead.list", m{})
	// The first minute's 200 s leave ten minutes after the first call; 400 s are below the limit.
	c.move(10*time.Minute - 270*time.Second - time.Second)
	r.refused("crm.lead.add", m{"fields": m{"TITLE": "x"}}, 429, "OPERATION_TIME_LIMIT")
	c.move(time.Second)
	r.get("crm.lead.add", m{"fields": m{"TITLE": "x"}})
	if got := len(r.Leads()); got != 4 {
		t.Errorf("%d leads, want 4: refused calls must not run", got)
	}
}

func TestShortCallsAreNotAccounted(t *testing.T) {
	r := portal(t, Options{CommandTime: func(string) time.Duration { return 100 * time.Millisecond }})
	_, body := r.send("profile", m{})
	if got := at(body, "time", "operating"); got != 0.0 {
		t.Errorf("operating of a call of 0.1 s: got %v, want 0", got)
	}
}

func TestABatchIsBilledByCommandOrAsAWhole(t *testing.T) {
	ten := func(string) time.Duration { return 10 * time.Second }
	add := batchOf("a", "crm.lead.add?fields[TITLE]=1", "b", "crm.lead.add?fields[TITLE]=2")

	byCommand := portal(t, Options{CommandTime: ten, OperatingLimit: 15 * time.Second})
	_, body := byCommand.send("batch", add)
	if got := at(body, "result", "result_time", "b", "operating"); got != 20.0 {
		t.Errorf("operating of the second command: got %v, want 20", got)
	}
	if got := at(body, "time", "operating"); got != 0.0 {
		t.Errorf("operating of the batch: got %v, want 0", got)
	}
	byCommand.refused("crm.lead.add", m{"fields": m{}}, 429, "OPERATION_TIME_LIMIT")
	_, body = byCommand.send("batch", add)
	if got := at(body, "result", "result_error", "a", "error"); got != "OPERATION_TIME_LIMIT" {
		t.Errorf("a command over its limit: got %v, want OPERATION_TIME_LIMIT", got)
	}

	whole := portal(t, Options{CommandTime: ten, OperatingLimit: 15 * time.Second, BillBatchWhole: true})
	_, body = whole.send("batch", add)
	if got := at(body, "result", "result_time", "b", "operating"); got != 0.0 {
		t.Errorf("operating of a command of a batch billed whole: got %v, want 0", got)
	}
	if got := at(body, "time", "operating"); got != 20.0 {
		t.Errorf("operating of the batch: got %v, want 20", got)
	}
	whole.refused("batch", add, 429, "OPERATION_TIME_LIMIT")
	whole.get("crm.lead.add", m{"fields": m{}})
}

func TestOnPremiseHasNoOperatingCounters(t *testing.T) {
	r := portal(t, Options{OnPremise: true, Plan: Unlimited, CommandTime: heavy})
	for range 5 {
		_, body := r.send("crm.lead.add", m{"fields": m{}})
		if _, there := body["time"].(m)["operating"]; there {
			t.Fatalf("a self-hosted portal shows operating: %v", body["time"])
		}
	}
}

func TestARequestOfMoreThanAMinuteIsCutAndItsCommandsStay(t *testing.T) {
	r := portal(t, Options{CommandTime: func(string) time.Duration { return 25 * time.Second }})
	add := "crm.lead.add?fields[TITLE]=x"
	status, body := r.raw("batch", batchOf("a", add, "b", add, "c", add, "d", add, "e", add))
	if status != 504 {
		t.Fatalf("got %d %s, want 504", status, body)
	}
	if got := len(r.Leads()); got != 3 {
		t.Errorf("%d leads after commands of 25 s each, want 3: the one under way at 60 s is finished", got)
	}
}

func TestThePortalSleepsOnlyWhenAskedTo(t *testing.T) {
	var slept time.Duration
	r := portal(t, Options{CommandTime: func(string) time.Duration { return time.Second }, Sleep: func(d time.Duration) { slept += d }})
	r.get("batch", batchOf("a", "profile", "b", "profile"))
	if slept != 2*time.Second {
		t.Errorf("slept %v for two commands of a second, want 2s", slept)
	}
}
