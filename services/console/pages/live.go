package pages

import (
	"bytes"
	"context"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"reflect"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// This file lets calls arrive by themselves. Whoever looks at the same list shares one
// follower of the index: it asks the API once when something changed, not for each
// reader, and not at all while nothing happens.

const (
	// maxStreams bounds the open streams; above it a page is not live.
	maxStreams = 200
	// newsEvery is the shortest time between two looks at a list.
	newsEvery = 500 * time.Millisecond
	// keepAlive is how often a quiet stream shows that it is there, and how long after
	// the end of a session the stream ends.
	keepAlive = 15 * time.Second
	// writeWithin is how long a reader may take to accept what he is sent.
	writeWithin = 10 * time.Second
)

// lists are the lists of calls that are looked at now.
type lists struct {
	// next waits until the index has more than the first after events.
	next func(ctx context.Context, after uint64) (uint64, error)
	// ask asks the API for a list.
	ask func(ctx context.Context, project string, query url.Values) (callList, error)

	mu      sync.Mutex
	by      map[string]*followed
	streams int
}

// followed is one list, kept up to date while somebody looks.
type followed struct {
	readers int
	stop    context.CancelFunc

	mu      sync.Mutex
	list    callList
	known   bool
	changed chan struct{}
}

// join looks at a list; ok is false where too many do.
func (l *lists) join(project string, query url.Values) (f *followed, leave func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams >= maxStreams {
		return nil, nil, false
	}
	l.streams++
	key := project + "?" + query.Encode()
	f = l.by[key]
	if f == nil {
		ctx, stop := context.WithCancel(context.Background())
		f = &followed{stop: stop, changed: make(chan struct{})}
		l.by[key] = f
		go l.follow(ctx, f, project, query)
	}
	f.readers++
	return f, func() { l.leave(key, f) }, true
}

func (l *lists) leave(key string, f *followed) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.streams--
	if f.readers--; f.readers == 0 {
		delete(l.by, key)
		f.stop()
	}
}

func (l *lists) follow(ctx context.Context, f *followed, project string, query url.Values) {
	seen := uint64(0)
	for ctx.Err() == nil {
		if list, err := l.ask(ctx, project, query); err == nil {
			f.set(list)
			if seen, err = l.next(ctx, seen); err != nil {
				return
			}
		} // else it is asked again
		select {
		case <-ctx.Done():
		case <-time.After(newsEvery):
		}
	}
}

func (f *followed) set(list callList) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known && reflect.DeepEqual(f.list, list) {
		return
	}
	f.list, f.known = list, true
	close(f.changed)
	f.changed = make(chan struct{})
}

// now is the list, if it is known yet, and what closes when it changes.
func (f *followed) now() (list callList, known bool, changed <-chan struct{}) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.list, f.known, f.changed
}

// newLists follows the index behind the API.
func (s *site) newLists() *lists {
	l := &lists{by: map[string]*followed{}}
	l.next = func(ctx context.Context, after uint64) (uint64, error) {
		index, ok := s.Views.Get("console")
		if !ok {
			return 0, errors.New("there is no index of calls in this process")
		}
		return index.Next(ctx, after)
	}
	l.ask = func(ctx context.Context, project string, query url.Values) (out callList, err error) {
		ctx = service.As(ctx, service.Person{Name: "live list", Role: service.Viewer})
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "/", http.NoBody)
		if err != nil {
			return out, err
		}
		v := s.visit(nil, r)
		v.Project.ID = project
		err = v.get(v.path("calls"), query, &out)
		return out, err
	}
	return l
}

// callsLive streams the list as it changes, as server-sent events: "rows" is the list,
// "news" a sentence for those who listen, "ended" says that nothing more will come.
func (v *visit) callsLive() {
	filter, _ := callFilter(v.r.URL.Query())
	query, err := v.callQuery(filter)
	if err != nil || filter.Has("cursor") {
		v.problem(http.StatusBadRequest, v.T("calls.wrong"))
		return
	}
	list, leave, ok := v.site.lists.join(v.Project.ID, query)
	if !ok {
		v.w.Header().Set("Retry-After", "30")
		v.problem(http.StatusServiceUnavailable, v.T("calls.crowded"))
		return
	}
	defer leave()
	out := newStream(v.w)
	quiet := time.NewTicker(keepAlive)
	defer quiet.Stop()
	var shown *callList
	for {
		now, known, changed := list.now()
		if known && !v.stands() {
			out.send("ended", []byte(v.T("calls.ended")))
			return
		}
		if known {
			v.sendCalls(out, filter, shown, now)
			shown = &now
		}
		for waiting := true; waiting; {
			select {
			case <-changed:
				waiting = false
			case <-quiet.C:
				if !v.stands() {
					out.send("ended", []byte(v.T("calls.ended")))
					return
				}
				out.comment()
			case <-v.r.Context().Done():
				return
			case <-v.site.Stopping:
				return // the browser comes back by itself
			}
			if out.err != nil {
				return
			}
		}
	}
}

// stands tells whether the person is signed in still. It does not keep the session
// alive: a stream that is open is nobody who looks.
func (v *visit) stands() bool {
	_, ok, _ := v.site.who(v.r, false)
	return ok
}

// sendCalls sends the list, and tells of the newest call where it was not there before,
// and of one that has ended.
func (v *visit) sendCalls(out *stream, filter url.Values, before *callList, now callList) {
	d := callsData{callList: now, Filter: filter, New: map[string]bool{}}
	news, said := "", callItem{}
	if before != nil {
		old := map[string]string{}
		for _, c := range before.Items {
			old[c.ID] = c.State
		}
		for i, c := range now.Items {
			state, known := old[c.ID]
			over := state == "unfinished" && c.State != state
			d.New[c.ID] = !known || over
			switch {
			case news != "":
			case over:
				news, said = "calls.over", c
			case !known && i == 0:
				news, said = "calls.news", c
			}
		}
	}
	rows, err := v.part("calls", "rows", d)
	if err != nil {
		v.site.Log.Error("a page could not be made", zap.String("page", "calls"), zap.Error(err))
		return
	}
	out.send("rows", rows)
	if news != "" {
		out.send("news", []byte(v.T(news, template.HTMLEscapeString(v.What(said.Direction, said.Outcome)), template.HTMLEscapeString(v.Who(said)))))
	}
}

// stream writes server-sent events.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	err     error
}

func newStream(w http.ResponseWriter) *stream {
	s := &stream{w: w, control: http.NewResponseController(w)}
	_ = s.control.SetReadDeadline(time.Time{}) // the server's is for requests that end
	w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would keep it to itself
	w.WriteHeader(http.StatusOK)
	s.write([]byte("retry: 3000\n\n"))
	return s
}

func (s *stream) send(event string, data []byte) {
	var b bytes.Buffer
	b.WriteString("event: " + event + "\n")
	for line := range bytes.Lines(data) {
		b.WriteString("data: ")
		b.Write(bytes.TrimRight(line, "\r\n"))
		b.WriteByte('\n')
	}
	if len(data) == 0 {
		b.WriteString("data:\n")
	}
	b.WriteByte('\n')
	s.write(b.Bytes())
}

func (s *stream) comment() { s.write([]byte(":\n\n")) }

func (s *stream) write(b []byte) {
	if s.err != nil {
		return
	}
	_ = s.control.SetWriteDeadline(time.Now().Add(writeWithin)) // a writer without deadlines still writes
	if _, s.err = s.w.Write(b); s.err == nil {
		s.err = s.control.Flush()
	}
}
