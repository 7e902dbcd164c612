// Package ingress puts a webhook's request on disk, byte for byte, and answers. It
// understands nothing of it: a reading mistake is repaired by replay, while a request
// that was not stored is lost, for Ringostat does not send again (help.ringostat.com
// 6313229). Start reading at [Start].
package ingress

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/fault"
	"github.com/ringbridge/ringbridge/pkg/service"
	"github.com/ringbridge/ringbridge/pkg/settings"
)

const (
	// maxBody is what a request may hold. A larger one is refused whole, never cut.
	maxBody = 256 << 10
	// maxWaiting is how many requests may wait for the disk at once; more is too fast.
	maxWaiting = 1000
	// sickFor is how long the service counts as not well after a request that could not
	// be stored. It ends by itself: a balancer sends nothing to a service that is not
	// ready, so no later success could end it.
	sickFor = 10 * time.Second
)

// kept are the headers stored with a request: what reading the body needs, and what
// tells senders apart. Nothing that could hold a credential.
var kept = []string{"Content-Type", "Content-Encoding", "User-Agent"}

type ingress struct {
	service.Env
	waiting chan struct{}
	answers *prometheus.CounterVec
	well    *time.Timer // takes the report of a failure back
}

// Start opens the webhook address /ringostat/{project}/{token}. It answers 200 "ok"
// once the request is on disk; 404 for an unknown project or token, in the same time;
// 405, 413, 429; and 503 with Retry-After when nothing was stored.
func Start(env service.Env) error {
	in := &ingress{Env: env, waiting: make(chan struct{}, maxWaiting), answers: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "ringbridge_webhooks_total", Help: "Requests at the webhook address, by project and answer.",
	}, []string{"project", "code"})}
	if err := env.Metrics.Register(in.answers); err != nil {
		return fmt.Errorf("register the metrics of webhooks: %w", err)
	}
	in.well = time.AfterFunc(sickFor, func() { env.Group.Report("ingress", nil) })
	env.Mux.HandleFunc("/ringostat/{project}/{token}", in.serve)
	env.Mux.HandleFunc("/ringostat/{project}/{token}/{$}", in.serve)
	return nil
}

func (in *ingress) serve(w http.ResponseWriter, r *http.Request) {
	project, known := in.Projects.Get(r.PathValue("project"))
	if !allowed(project.Ringostat.Tokens, r.PathValue("token")) || !known {
		in.answer(w, "unknown", http.StatusNotFound, "unknown address")
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodPost && r.Method != http.MethodPut {
		w.Header().Set("Allow", "GET, POST, PUT")
		in.answer(w, project.ID, http.StatusMethodNotAllowed, "send GET, POST or PUT")
		return
	}
	select {
	case in.waiting <- struct{}{}:
		defer func() { <-in.waiting }()
	default:
		w.Header().Set("Retry-After", "1")
		in.answer(w, project.ID, http.StatusTooManyRequests, "too many requests at once")
		return
	}
	if fault.Wrong("body-cut") {
		r.Body = io.NopCloser(io.LimitReader(r.Body, maxBody))
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		in.answer(w, project.ID, http.StatusRequestEntityTooLarge, "the body is over 256 KiB")
		return
	}
	if err != nil {
		in.answer(w, project.ID, http.StatusBadRequest, "the body did not arrive whole")
		return
	}
	if fault.Wrong("answered-before-stored") {
		go func() { _ = in.store(r, project.ID, body) }()
		in.answer(w, project.ID, http.StatusOK, "ok")
		return
	}
	if err := in.store(r, project.ID, body); err != nil {
		in.Log.Error("a webhook could not be stored and was refused", zap.String("project", project.ID), zap.Error(err))
		in.Group.Report("ingress", err)
		in.well.Reset(sickFor)
		w.Header().Set("Retry-After", "5")
		in.answer(w, project.ID, http.StatusServiceUnavailable, "could not be stored; nothing was accepted")
		return
	}
	in.answer(w, project.ID, http.StatusOK, "ok")
}

// store puts the request on disk. The client going away must not stop it half-way.
func (in *ingress) store(r *http.Request, project string, body []byte) error {
	now := in.Now()
	received := &event.CallReceived{
		Project: project, Source: event.FromWebhook, Method: r.Method, Query: asText(r.URL.RawQuery),
		Headers: map[string]string{}, Body: body, ReceivedAt: now.UTC().Truncate(time.Millisecond),
	}
	for _, name := range kept {
		if v := r.Header.Get(name); v != "" {
			received.Headers[name] = v
		}
	}
	e, err := event.First("ingress", now, received)
	if err != nil {
		return err
	}
	_, err = in.Bus.Publish(in.Group.Context(), e)
	fault.Point("ingress", "stored")
	return err
}

// asText is a query as an event can hold it. Bytes that are no text, which some senders
// put there unescaped, are written %XX: that means the same and loses nothing.
func asText(query string) string {
	if utf8.ValidString(query) {
		return query
	}
	var b strings.Builder
	for len(query) > 0 {
		r, size := utf8.DecodeRuneInString(query)
		if r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, "%%%02X", query[0])
		} else {
			b.WriteString(query[:size])
		}
		query = query[size:]
	}
	return b.String()
}

func (in *ingress) answer(w http.ResponseWriter, project string, code int, words string) {
	in.answers.WithLabelValues(project, strconv.Itoa(code)).Inc()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = io.WriteString(w, words)
	fault.Point("ingress", "answered")
}

// allowed compares the token with all of the project's in the same time, whether the
// project is known or not.
func allowed(tokens []settings.Secret, given string) bool {
	want := [2][32]byte{sha256.Sum256([]byte("no token")), sha256.Sum256([]byte("no second token"))}
	n := min(len(tokens), len(want))
	for i := range n {
		want[i] = sha256.Sum256([]byte(tokens[i].Reveal()))
	}
	got := sha256.Sum256([]byte(given))
	first, second := subtle.ConstantTimeCompare(got[:], want[0][:]), subtle.ConstantTimeCompare(got[:], want[1][:])
	return first&oneIf(n > 0)|second&oneIf(n > 1) == 1
}

func oneIf(b bool) int {
	if b {
		return 1
	}
	return 0
}
