package bitrix

import (
	"math"
	"testing"
	"time"
)

// used is an answer whose counter is certain to sink at reset: the portal names the
// second in which it does.
func used(seconds float64, reset time.Time) Time {
	if !reset.IsZero() {
		reset = reset.Add(-time.Second)
	}
	return Time{Operating: seconds, OperatingResetAt: reset, HasOperating: true}
}

func TestAMethodIsLeftAloneBeforeThePortalBlocksIt(t *testing.T) {
	reset := noon.Add(4 * time.Minute)
	for _, test := range []struct {
		seconds       float64
		patient, live bool // whether there is room
	}{{335, true, true}, {455, true, true}, {456, false, true}, {470, false, true}, {471, false, false}, {500, false, false}} {
		b := NewBudget(0)
		b.Observe("crm.item.add", used(test.seconds, reset))
		for urgent, want := range map[bool]bool{false: test.patient, true: test.live} {
			room, until := b.Room("CRM.item.add", urgent, noon)
			if got := room > 0; got != want {
				t.Errorf("%v of 480 s, urgent %v: room %v, want room: %v", test.seconds, urgent, room, want)
			}
			if !want && !until.Equal(reset) {
				t.Errorf("%v of 480 s: room again at %v, want the reset at %v", test.seconds, until, reset)
			}
		}
		if room, _ := b.Room("tasks.task.add", false, noon); room != 336*time.Second {
			t.Errorf("another method has room for %v, want 336s", room)
		}
	}
}

func TestFromSeventyPercentOnTheRestIsSpreadUntilTheReset(t *testing.T) {
	b, now := NewBudget(0), noon
	reset := noon.Add(200 * time.Second)
	b.Observe("m", used(356, reset)) // 100 s are left of 456, half a second for each second
	spent := time.Duration(0)
	for now.Before(reset) {
		room, until := b.Room("m", false, now)
		if room == 0 {
			if !until.After(now) {
				t.Fatalf("no room at %v, and again at %v", now.Sub(noon), until.Sub(noon))
			}
			now = until
			continue
		}
		b.Reserve("m", room, false, now)
		spent += room
		b.Release("m", room)
		b.Observe("m", used(356+spent.Seconds(), reset))
		if linear := now.Sub(noon).Seconds()/2 + 5.1; spent.Seconds() > linear {
			t.Errorf("after %v %v are spent, want at most %.1f s", now.Sub(noon), spent, linear)
		}
	}
	if spent < 99*time.Second {
		t.Errorf("%v are spent until the reset, want the 100 s", spent)
	}
}

func TestWhatIsOutCountsAsUsed(t *testing.T) {
	b := NewBudget(100 * time.Second)
	for range 4 {
		b.Reserve("batch", 20*time.Second, true, noon)
	}
	if room, _ := b.Room("batch", true, noon); room != 18*time.Second {
		t.Errorf("with 80 of 100 s out there is room for %v, want 18s", room)
	}
	b.Release("batch", 20*time.Second)
	if room, _ := b.Room("batch", true, noon); room != 38*time.Second {
		t.Errorf("with 60 of 100 s out there is room for %v, want 38s", room)
	}
}

func TestAfterTheResetOneCommandFindsOutWhatIsFree(t *testing.T) {
	b := NewBudget(0)
	reset := noon.Add(time.Minute)
	b.Observe("m", used(478, reset))
	if room, _ := b.Room("m", false, reset.Add(-time.Second)); room != 0 {
		t.Fatalf("before the reset there is room for %v", room)
	}
	if room, _ := b.Room("m", false, reset); room != aMoment {
		t.Errorf("at the reset there is room for %v, want one command", room)
	}
	b.Reserve("m", time.Second, false, reset)
	if room, _ := b.Room("m", true, reset); room != 0 {
		t.Errorf("while it is out there is room for %v, want none", room)
	}
	b.Release("m", time.Second)
	b.Observe("m", used(200, reset.Add(time.Minute)))
	if room, _ := b.Room("m", false, reset); room != 136*time.Second {
		t.Errorf("then there is room for %v, want 136s", room)
	}
}

func TestCountersMayBeMissing(t *testing.T) {
	b := NewBudget(0)
	for range 1000 {
		b.Reserve("m", time.Second, false, noon)
		b.Release("m", time.Second)
		b.Observe("m", Time{})
	}
	if room, _ := b.Room("m", false, noon); room != 336*time.Second {
		t.Errorf("without counters there is room for %v, want 336s", room)
	}
	b.Observe("m", used(470, noon.Add(time.Minute)))
	b.Observe("m", Time{})
	if room, _ := b.Room("m", false, noon); room != 0 {
		t.Errorf("an answer without counters made room for %v", room)
	}
}

func TestAnAnswerThatWasOvertakenChangesNothing(t *testing.T) {
	b := NewBudget(0)
	early, late := noon.Add(time.Minute), noon.Add(2*time.Minute)
	b.Observe("m", used(100, late))
	b.Observe("m", used(90, late))
	b.Observe("m", used(470, early))
	if room, _ := b.Room("m", true, noon); math.Abs(room.Seconds()-370.4) > 0.01 {
		t.Errorf("room for %v, want 370.4 s: 100 s are used", room)
	}
	b.Observe("m", used(0, late.Add(time.Minute)))
	if room, _ := b.Room("m", false, noon); room != 336*time.Second {
		t.Errorf("a newer answer with 0 leaves room for %v, want 336s", room)
	}
}

func TestARefusedMethodWaitsAsLongAsIsKnown(t *testing.T) {
	for _, test := range []struct {
		name           string
		retryAt, reset time.Time
		want           time.Time
	}{
		{"the refusal names the time", noon.Add(time.Minute * 2), noon.Add(time.Minute * 3), noon.Add(time.Minute * 2)},
		{"an answer before named it", time.Time{}, noon.Add(time.Minute * 3), noon.Add(time.Minute * 3)},
		{"nobody named it", time.Time{}, time.Time{}, noon.Add(time.Minute)},
		{"it is past", noon.Add(-time.Minute), noon.Add(-time.Minute), noon.Add(time.Minute)},
		{"it is absurd", noon.Add(time.Hour * 100), time.Time{}, noon.Add(10 * time.Minute)},
	} {
		b := NewBudget(0)
		b.Observe("m", used(1, test.reset))
		until := b.Refused("m", test.retryAt, noon)
		if room, again := b.Room("m", true, noon); room != 0 || !again.Equal(test.want) || !until.Equal(test.want) {
			t.Errorf("%s: room for %v, again at %v and %v, want none until %v", test.name, room, again, until, test.want)
		}
		if room, _ := b.Room("m", true, test.want); room != aMoment {
			t.Errorf("%s: then there is room for %v, want one command to see", test.name, room)
		}
		b.Observe("m", Time{})
		if room, _ := b.Room("m", true, test.want); room < time.Second {
			t.Errorf("%s: after an answer there is room for %v, want more", test.name, room)
		}
	}
}

func TestWhatIsKnownOfTheMethodsIsTold(t *testing.T) {
	b := NewBudget(0)
	b.Observe("crm.item.add", used(100, noon.Add(time.Minute)))
	b.Observe("tasks.task.add", used(300, noon.Add(2*time.Minute)))
	b.Observe("user.get", used(50, noon.Add(-time.Second))) // forgotten by now
	b.Room("crm.item.list", true, noon)                     // asked about, never counted
	b.Refused("batch", noon.Add(time.Minute), noon)
	got := b.Uses(noon)
	if len(got) != 3 || got[0].Method != "tasks.task.add" || got[0].Used != 300*time.Second || got[0].Limit != DefaultOperatingLimit || !got[0].Blocked.IsZero() ||
		got[1].Method != "crm.item.add" || !got[1].ResetAt.Equal(noon.Add(time.Minute)) ||
		got[2].Method != "batch" || !got[2].Blocked.Equal(noon.Add(time.Minute)) {
		t.Errorf("uses %+v, want tasks.task.add, crm.item.add and the blocked batch", got)
	}
	if got := b.Uses(noon.Add(3 * time.Minute)); len(got) != 0 {
		t.Errorf("after the resets: %+v, want nothing", got)
	}
}
