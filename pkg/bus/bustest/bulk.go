package bustest

import (
	"context"
	"encoding/binary"
	"fmt"
	"maps"
	"net/textproto"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Message is one that lies in a broker's folder, with every header it was stored with.
type Message struct {
	Subject string
	Header  textproto.MIMEHeader
	Data    []byte
}

// Bulk is the folder of an embedded broker, opened past [bus.Bus] to put a long history
// there without waiting for the disk.
type Bulk struct {
	t      testing.TB
	dir    string
	server *server.Server
	nc     *nats.Conn
	js     jetstream.JetStream
}

// OpenBulk opens a folder that a [bus.Bus] made and closed.
func OpenBulk(t testing.TB, dir string) *Bulk {
	t.Helper()
	s, err := server.NewServer(&server.Options{
		ServerName: "ringbridge", DontListen: true, NoSigs: true, JetStream: true, JetStreamDomain: "ringbridge", StoreDir: dir,
		JetStreamMaxStore: 1 << 40, MaxPayload: 1 << 20, SyncInterval: time.Hour,
	})
	if err != nil {
		t.Fatalf("set up the broker: %v", err)
	}
	s.Start()
	if !s.ReadyForConnections(time.Minute) {
		t.Fatal("the broker was not ready within a minute")
	}
	nc, err := nats.Connect("", nats.InProcessServer(s))
	if err != nil {
		t.Fatalf("connect to the broker: %v", err)
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(2000))
	if err != nil {
		t.Fatalf("open jetstream: %v", err)
	}
	return &Bulk{t, dir, s, nc, js}
}

// All reads every message of a stream.
func (b *Bulk) All(stream string) (all []Message) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		b.t.Fatalf("find %s: %v", stream, err)
	}
	state := s.CachedInfo().State
	for seq := state.FirstSeq; seq <= state.LastSeq && state.Msgs > 0; seq++ {
		m, err := s.GetMsg(ctx, seq)
		if err == nil {
			all = append(all, Message{m.Subject, textproto.MIMEHeader(m.Header), m.Data})
		}
	}
	return all
}

// Add stores a message some time; Close says whether it is. Its id goes under another name:
// the broker remembers the ids of two minutes, in which so many events never come.
func (b *Bulk) Add(m Message) {
	b.t.Helper()
	if id := m.Header.Get(nats.MsgIdHdr); id != "" {
		m.Header = maps.Clone(m.Header)
		m.Header["Past-Msg-Id"] = []string{id}
		delete(m.Header, nats.MsgIdHdr)
	}
	if _, err := b.js.PublishMsgAsync(&nats.Msg{Subject: m.Subject, Header: nats.Header(m.Header), Data: m.Data}, jetstream.WithStallWait(time.Minute)); err != nil {
		b.t.Fatalf("store a message: %v", err)
	}
}

// Close waits until everything is stored, tells every durable reader of the events that
// it has read and settled them, and says how many there are.
func (b *Bulk) Close() (events uint64) {
	b.t.Helper()
	select {
	case <-b.js.PublishAsyncComplete():
	case <-time.After(5 * time.Minute):
		b.t.Fatal("the broker did not store everything")
	}
	stream, err := b.js.Stream(context.Background(), bus.Stream)
	if err != nil {
		b.t.Fatalf("find the stream: %v", err)
	}
	events = stream.CachedInfo().State.LastSeq
	b.nc.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
	states, err := filepath.Glob(filepath.Join(b.dir, "jetstream", "*", "streams", bus.Stream, "obs", "*", "o.dat"))
	if err != nil || len(states) == 0 {
		b.t.Fatalf("no durable reader has a state: %v", err)
	}
	for _, path := range states {
		if err := settle(path, events); err != nil {
			b.t.Fatal(err)
		}
	}
	return events
}

// settle writes that a durable was given everything up to an event and settled it, as
// nats-server 2.15 writes it (encodeConsumerState).
func settle(path string, upTo uint64) error {
	old, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read a durable's state: %w", err)
	}
	if len(old) < 4 || old[1] != 2 {
		return fmt.Errorf("%s is of a form that is not known here", path)
	}
	consumer, _ := binary.Uvarint(old[2:])
	state := append([]byte{}, old[:2]...)
	for _, n := range []uint64{consumer, upTo, consumer, upTo, 0, 0} {
		state = binary.AppendUvarint(state, n)
	}
	return os.WriteFile(path, state, 0o600)
}
