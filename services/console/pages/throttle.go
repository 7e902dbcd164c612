package pages

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"
)

const (
	freeTries  = 5         // so many may fail before a wait
	forgetting = time.Hour // without another try all is forgotten
	maxTries   = 10_000    // keys that are remembered
	maxWait    = 15 * time.Minute
	// maxNameWait is short: whoever guesses at a name must not lock its owner out for long.
	maxNameWait = time.Minute
)

// tries slow down guessing: for each address and each name, after a few failures every
// further try has to wait twice as long as the one before. A try counts as failed from
// its beginning, so that many at once are no way around it.
type tries struct {
	now func() time.Time

	mu sync.Mutex
	by map[string]try
}

type try struct {
	failed      int
	last, until time.Time
}

func newTries(now func() time.Time) *tries { return &tries{now: now, by: map[string]try{}} }

// keysOf are what a try is remembered by.
func keysOf(from, name string) []string {
	keys := []string{"address " + from}
	if name != "" {
		keys = append(keys, "name "+name)
	}
	return keys
}

// begin counts a try, or tells how long to wait before it.
func (t *tries) begin(keys []string) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.now()
	for _, key := range keys {
		wait = max(wait, t.by[key].until.Sub(now))
	}
	if wait > 0 {
		return wait
	}
	for _, key := range keys {
		tried, known := t.by[key]
		if now.Sub(tried.last) > forgetting {
			tried = try{}
		}
		if !known {
			t.room(now)
		}
		tried.failed++
		tried.last = now
		if over := tried.failed - freeTries; over >= 0 {
			most := maxWait
			if strings.HasPrefix(key, "name ") {
				most = maxNameWait
			}
			tried.until = now.Add(min(most, time.Second<<min(over+1, 20)))
		}
		t.by[key] = tried
	}
	return 0
}

// room takes away what is forgotten, else the try that failed least often: a flood of
// new names does not wash out the one that is guessed at.
func (t *tries) room(now time.Time) {
	if len(t.by) < maxTries {
		return
	}
	least, failed := "", 0
	for key, tried := range t.by {
		if now.Sub(tried.last) > forgetting {
			delete(t.by, key)
		} else if least == "" || tried.failed < failed {
			least, failed = key, tried.failed
		}
	}
	if len(t.by) >= maxTries {
		delete(t.by, least)
	}
}

// right forgets the failures before a try that was right.
func (t *tries) right(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		delete(t.by, key)
	}
}

// void takes back a try that was not looked at.
func (t *tries) void(keys []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, key := range keys {
		if tried, ok := t.by[key]; ok {
			tried.failed, tried.until = max(0, tried.failed-1), time.Time{}
			t.by[key] = tried
		}
	}
}

// comesFrom is where a request came from; of IPv6, the network that one household has.
// What a proxy says counts only where the request came from a machine of the house.
func comesFrom(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	at, err := netip.ParseAddr(host)
	if err != nil {
		return host
	}
	if at = at.Unmap(); at.IsLoopback() || at.IsPrivate() {
		said := r.Header.Values("X-Forwarded-For")
		list := strings.Split(strings.Join(said, ","), ",")
		if behind, err := netip.ParseAddr(strings.TrimSpace(list[len(list)-1])); err == nil {
			at = behind.Unmap()
		}
	}
	if at.Is6() {
		if net, err := at.WithZone("").Prefix(64); err == nil {
			return net.String()
		}
	}
	return at.String()
}
