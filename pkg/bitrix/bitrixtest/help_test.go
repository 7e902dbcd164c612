package bitrixtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a portal's time that only moves when it is told to.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock {
	return &clock{t: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)}
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// rest sends commands to a portal without a network between.
type rest struct {
	t *testing.T
	*Portal
}

func portal(t *testing.T, o Options) rest {
	t.Helper()
	if o.Now == nil {
		o.Now = newClock().now
	}
	return rest{t, New(o)}
}

// send posts JSON and returns status and decoded body.
func (r rest) send(method string, params any) (int, map[string]any) {
	r.t.Helper()
	status, body := r.raw(method, params)
	var out map[string]any
	if err := json.Unmarshal(body, &out); err != nil {
		r.t.Fatalf("%s answered %d with no JSON: %s", method, status, body)
	}
	return status, out
}

func (r rest) raw(method string, params any) (int, []byte) {
	r.t.Helper()
	data, err := json.Marshal(params)
	if text, isText := params.(string); isText {
		data, err = []byte(text), nil
	}
	if err != nil {
		r.t.Fatal(err)
	}
	q := httptest.NewRequest("POST", r.WebhookPath()+method, bytes.NewReader(data))
	q.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	r.ServeHTTP(w, q)
	return w.Code, w.Body.Bytes()
}

// get is the result of a call that must succeed.
func (r rest) get(method string, params any) any {
	r.t.Helper()
	status, body := r.send(method, params)
	if status != 200 || body["error"] != nil {
		r.t.Fatalf("%s %v: got %d %v, want success", method, params, status, body)
	}
	return body["result"]
}

// refused checks that a call is refused with the status and code, and returns the description.
func (r rest) refused(method string, params any, status int, code string) string {
	r.t.Helper()
	got, body := r.send(method, params)
	if got != status || body["error"] != code {
		r.t.Errorf("%s %v: got %d %v, want %d %q", method, params, got, body, status, code)
	}
	if body["time"] != nil {
		r.t.Errorf("%s: a refusal has a time block: %v", method, body)
	}
	text, _ := body["error_description"].(string)
	return text
}

type m = map[string]any

// at walks a decoded answer: at(v, "item", "id"), at(v, "0", "ID").
func at(v any, path ...any) any {
	for _, p := range path {
		switch c := v.(type) {
		case map[string]any:
			v = c[fmt.Sprint(p)]
		case []any:
			i, ok := p.(int)
			if !ok || i >= len(c) {
				return nil
			}
			v = c[i]
		default:
			return nil
		}
	}
	return v
}

// fetch posts over a real connection, without following redirects.
func fetch(t *testing.T, url string, params any) (*http.Response, string, error) {
	t.Helper()
	data, err := json.Marshal(params)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{
		Timeout:       20 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Post(url, "application/json", bytes.NewReader(data))
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, string(body), err
}

func batchOf(pairs ...string) string {
	var cmd []string
	for i := 0; i < len(pairs); i += 2 {
		k, _ := json.Marshal(pairs[i])
		v, _ := json.Marshal(pairs[i+1])
		cmd = append(cmd, string(k)+":"+string(v))
	}
	return `{"halt":0,"cmd":{` + strings.Join(cmd, ",") + `}}`
}
