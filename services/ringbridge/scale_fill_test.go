package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/textproto"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// This file makes a long history: some calls go through the program, and what they leave
// in the broker is copied under other ids, numbers and times.

// fill leaves so many finished calls in the folder, 31 seconds apart, the last of now.
func (s *scale) fill(calls int) {
	s.t.Helper()
	done := filepath.Join(s.dir, "filled")
	if was, err := os.ReadFile(done); err == nil {
		if string(was) != fmt.Sprint(calls) {
			s.t.Fatalf("%s holds %s calls, not %d", s.dir, was, calls)
		}
		return
	}
	begun := time.Now()
	models := s.models()
	broker := bustest.OpenBulk(s.t, filepath.Join(s.dir, "broker"))
	molds := moldsOf(broker, models)
	if len(molds) != len(models) {
		s.t.Fatalf("%d calls of %d left something to copy", len(molds), len(models))
	}
	// A file is written anew with every step of its call; another call's is between.
	const between = 50
	for n := range calls + between {
		if n < calls {
			molds[n%len(molds)].pour(calls-1-n, broker)
		}
		if n >= between {
			molds[(n-between)%len(molds)].pourFile(calls-1-n+between, broker)
		}
	}
	events := broker.Close()
	if err := os.RemoveAll(filepath.Join(s.dir, "views")); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(done, fmt.Append(nil, calls), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.t.Logf("%d calls, %d events put there in %s", calls, events, time.Since(begun).Round(time.Second))
}

// model is a call that is copied.
type model struct{ id, phone string }

// models sends the calls that are copied through the program.
func (s *scale) models() (models []model) {
	s.t.Helper()
	p := s.start()
	for n, over := range []map[string][]string{
		{}, {"status": {"NO ANSWER"}, "connected_with": {""}, "staffid": {""}, "dialog": {"0"}, "recording": {""}, "has_recording": {"0"}},
		with(visit, nil), {"type": {"out"}}, with(visit, map[string][]string{"connected_with": {"380501110102"}, "staffid": {"102"}}),
	} {
		m := model{fmt.Sprintf("17000000%02d.7654321", n), fmt.Sprintf("+3806711%05d", 54321+n)}
		v := s.call(m.id, url.Values{"caller": {m.phone}})
		for name, value := range over {
			if v[name] = value; value[0] == "" {
				delete(v, name)
			}
		}
		s.send(v)
		models = append(models, m)
	}
	s.quiet()
	p.stop(s.t)
	return models
}

// mold is what one call left: its events in their order, and its file.
type mold struct {
	model
	events []cast
	file   cast
}

// cast is a message in pieces.
type cast struct {
	subject string
	header  map[string]pieces
	before  pieces // of what is around the request's bytes, where there are some
	body    pieces
	data    pieces
}

func moldsOf(broker *bustest.Bulk, models []model) (molds []*mold) {
	events, files := broker.All(bus.Stream), broker.All("KV_calls")
	for _, m := range models {
		own := &mold{model: m}
		ids := map[string]int{}
		for _, e := range events {
			envelope, err := event.Read(e.Data)
			if err != nil {
				continue
			}
			received, err := event.As[event.CallReceived](envelope)
			switch {
			case envelope.Call == m.id:
				own.events = append(own.events, own.cast(e, ids))
			case envelope.Type == event.TypeCallReceived && err == nil && bytes.Contains(received.Body, []byte(m.id)):
				c := own.cast(e, ids)
				coded, _ := json.Marshal(received.Body)
				before, after, _ := bytes.Cut(e.Data, coded)
				c.before, c.body, c.data = own.cut(before, ids), own.cut(received.Body, ids), own.cut(after, ids)
				own.events = append(own.events, c)
			}
		}
		for _, f := range files {
			if f.Subject == "$KV.calls.shop."+event.Derive("file", "shop", m.id) {
				own.file = own.cast(f, ids)
				own.file.header = nil // of compare-and-set
				molds = append(molds, own)
			}
		}
	}
	return molds
}

// pieces are texts with what differs from call to call between them.
type pieces []func(out *bytes.Buffer, n int)

func (m model) cast(message bustest.Message, ids map[string]int) cast {
	c := cast{subject: message.Subject, header: map[string]pieces{}, data: m.cut(message.Data, ids)}
	for name, values := range message.Header {
		c.header[name] = m.cut([]byte(values[0]), ids)
	}
	return c
}

var whatDiffers = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|17000000\d\d\.7654321|6711543\d\d|20\d\d-\d\d-\d\dT\d\d:\d\d`)

// cut finds what differs; ids numbers the ids of a call, so that each is the same
// wherever it stands.
func (m model) cut(text []byte, ids map[string]int) (p pieces) {
	literal := func(b []byte) {
		p = append(p, func(out *bytes.Buffer, _ int) { out.Write(b) })
	}
	at := 0
	for _, found := range whatDiffers.FindAllIndex(text, -1) {
		literal(text[at:found[0]])
		at = found[1]
		switch word := string(text[found[0]:found[1]]); {
		case word == m.id:
			p = append(p, func(out *bytes.Buffer, n int) { out.WriteString(m.idOf(n)) })
		case len(word) == 36:
			number, known := ids[word]
			if !known {
				number = len(ids)
				ids[word] = number
			}
			p = append(p, func(out *bytes.Buffer, n int) {
				dice := rand.NewPCG(uint64(n), uint64(number))
				a, b := dice.Uint64(), dice.Uint64()
				fmt.Fprintf(out, "%08x-%04x-5%03x-a%03x-%012x", a>>32, a>>16&0xffff, a&0xfff, b>>48&0xfff, b&0xffffffffffff)
			})
		case len(word) == 9 && "+380"+word == m.phone:
			p = append(p, func(out *bytes.Buffer, n int) { fmt.Fprintf(out, "67%07d", n*7919%3_000_000/7) })
		case word[0] == '2' && len(word) == 16:
			then, _ := time.Parse("2006-01-02T15:04", word)
			p = append(p, func(out *bytes.Buffer, n int) {
				out.WriteString(then.Add(-time.Duration(n) * 31 * time.Second).Format("2006-01-02T15:04"))
			})
		default:
			literal([]byte(word))
		}
	}
	literal(text[at:])
	return p
}

func (m model) idOf(n int) string { return fmt.Sprintf("%s.%07d", m.id[:10], n) }

func (p pieces) fill(n int) []byte {
	var out bytes.Buffer
	for _, piece := range p {
		piece(&out, n)
	}
	return out.Bytes()
}

func (c cast) fill(n int) bustest.Message {
	m := bustest.Message{Subject: c.subject, Header: textproto.MIMEHeader{}}
	for name, p := range c.header {
		m.Header[name] = []string{string(p.fill(n))}
	}
	if c.body != nil {
		m.Data = append(c.before.fill(n), '"')
		m.Data = base64.StdEncoding.AppendEncode(m.Data, c.body.fill(n))
		m.Data = append(m.Data, '"')
	}
	m.Data = append(m.Data, c.data.fill(n)...)
	return m
}

// pour stores the events of the n-th call before the last and the first form of its file.
func (m *mold) pour(n int, broker *bustest.Bulk) {
	for _, e := range m.events {
		broker.Add(e.fill(n))
	}
	m.pourFile(n, broker)
}

func (m *mold) pourFile(n int, broker *bustest.Bulk) {
	file := m.file.fill(n)
	file.Subject = "$KV.calls.shop." + event.Derive("file", "shop", m.idOf(n))
	broker.Add(file)
}
