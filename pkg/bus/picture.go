package bus

import "time"

// This file is what a process has seen of the sessions and claims of all, and what it
// may conclude from that. It has no clock and no connection.

// claim is a lease's entry: which session holds it, for people also where and since when.
type claim struct {
	Owner string    `json:"owner,omitempty"` // a session's id; empty: it was given back
	Host  string    `json:"host,omitempty"`
	Since time.Time `json:"since,omitzero"`

	revision uint64
}

// beat is a session's entry, written again and again while its process lives.
type beat struct {
	Host string `json:"host"`
	// Over is the last word about a session. Whoever writes it makes every later beat fail:
	// a beat is a compare-and-set on the one before.
	Over bool `json:"over,omitempty"`
}

// observed is a session as it was last seen here.
type observed struct {
	revision uint64
	at       time.Time // when this process saw it, by its own clock
	over     bool
}

// picture is what was seen so far. It may be behind, and it may lack a session that was
// renewed while it was being read; so a session counts as over only once its last word
// was seen, and that word is written by compare-and-set.
type picture struct {
	sessions map[string]observed
	claims   map[string]claim
	whole    bool // everything that was there at the start has been seen
}

func newPicture() picture {
	return picture{sessions: map[string]observed{}, claims: map[string]claim{}}
}

// session notes a session's entry.
func (p *picture) session(id string, b beat, revision uint64, now time.Time) {
	was := p.sessions[id]
	if was.over || revision <= was.revision {
		return
	}
	p.sessions[id] = observed{revision, now, b.Over}
}

// gone notes that a session's last word has been cleared away.
func (p *picture) gone(id string) {
	was := p.sessions[id]
	was.over = true
	p.sessions[id] = was
}

// claim notes a lease's entry. A session that was never seen counts from now on.
func (p *picture) claim(name string, c claim, now time.Time) {
	if c.revision <= p.claims[name].revision {
		return
	}
	p.claims[name] = c
	if _, seen := p.sessions[c.Owner]; c.Owner != "" && !seen {
		p.sessions[c.Owner] = observed{at: now}
	}
}

// free says whether a lease may be claimed, on top of which revision.
func (p *picture) free(name string) (revision uint64, ok bool) {
	c := p.claims[name]
	return c.revision, p.whole && (c.Owner == "" || p.sessions[c.Owner].over)
}

// silent are the sessions that were not renewed for a time, with their revision: 0 for
// one that was never seen.
func (p *picture) silent(now time.Time, length time.Duration) map[string]uint64 {
	out := map[string]uint64{}
	for id, s := range p.sessions {
		if !s.over && now.Sub(s.at) >= length {
			out[id] = s.revision
		}
	}
	return out
}
