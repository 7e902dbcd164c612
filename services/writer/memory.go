package writer

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ringbridge/ringbridge/pkg/crm"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// memory keeps what was made for a number within the last minutes: the portal's search
// may not show it yet, and the next call must not make it again.
type memory struct {
	mu sync.Mutex
	by map[string][]remembered
}

type remembered struct {
	event.Ref
	at time.Time
}

const memoryAge = 10 * time.Minute

func (m *memory) add(lane string, ref event.Ref, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	maps.DeleteFunc(m.by, func(_ string, list []remembered) bool { return now.Sub(list[len(list)-1].at) > memoryAge })
	m.by[lane] = append(m.by[lane], remembered{ref, now})
}

func (m *memory) of(lane string, now time.Time) []remembered {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.by[lane]), func(r remembered) bool { return now.Sub(r.at) > memoryAge })
}

// remember adds what this program made so recently that a list may not have shown it
// when it was asked for: the answer may have been long on its way.
func (d *desk) remember(lane string, found *crm.Found, asked time.Time) {
	for _, r := range d.memory.of(lane, asked) {
		if asked.Sub(r.at) > d.patience.settle {
			continue
		}
		list := &found.Open
		if r.Kind == "contact" {
			list = &found.Contacts
		}
		if !slices.ContainsFunc(*list, func(i crm.Item) bool { return i.Kind == r.Kind && i.ID == r.ID }) {
			*list = append(*list, crm.Item{Ref: r.Ref, Active: r.at})
		}
	}
}
