package bus_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest"
	"go.uber.org/zap/zaptest/observer"

	"github.com/ringbridge/ringbridge/pkg/bus"
	"github.com/ringbridge/ringbridge/pkg/bus/bustest"
	"github.com/ringbridge/ringbridge/pkg/event"
)

// openDurable starts a broker with an fsync to share.
func openDurable(t *testing.T, dir string) *bus.Bus {
	t.Helper()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatalf("open the broker: %v", err)
	}
	if !b.Groups() {
		t.Fatal("events that come together do not share an fsync here: is there no /dev/shm?")
	}
	return b
}

type fate struct {
	seq uint64
	err error
}

// together publishes events as one group, in their order.
func together(t *testing.T, b *bus.Bus, events ...event.Envelope) []fate {
	t.Helper()
	release, answers := b.Gather(), make([]fate, len(events))
	var all sync.WaitGroup
	for i, e := range events {
		all.Go(func() { answers[i].seq, answers[i].err = b.Publish(context.Background(), e) })
		bustest.Eventually(t, limit, "it waits for the one before", func() bool { return b.Waiting() == i+1 })
	}
	release()
	all.Wait()
	return answers
}

func numberedTo(t *testing.T, call string, n int) (events []event.Envelope) {
	t.Helper()
	for i := range n {
		events = append(events, numbered(t, call, i+1))
	}
	return events
}

func inABatch(t *testing.T, b *bus.Bus, seq uint64) bool {
	t.Helper()
	yes, err := b.InABatch(t.Context(), seq)
	if err != nil {
		t.Fatal(err)
	}
	return yes
}

func wantAt(t *testing.T, b *bus.Bus, seq uint64, want event.Envelope) {
	t.Helper()
	if got, err := b.Get(t.Context(), seq); err != nil || got.ID != want.ID {
		t.Errorf("event %d is %s (%v), want %s, whose publisher was told that number", seq, got.ID, err, want.ID)
	}
}

func TestEventsThatComeTogetherAreStoredInOneBatchInTheirOrder(t *testing.T) {
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	first := publish(t, b, numbered(t, "before", 1))
	if inABatch(t, b, first) {
		t.Error("an event that came alone went as a batch, which costs more")
	}
	events := numberedTo(t, "a", 20)
	for i, got := range together(t, b, events...) {
		if want := first + 1 + uint64(i); got.err != nil || got.seq != want {
			t.Errorf("event %d was stored at %d (%v), want %d", i, got.seq, got.err, want)
		} else if wantAt(t, b, got.seq, events[i]); !inABatch(t, b, got.seq) {
			t.Errorf("event %d was not stored together with the others", i)
		}
	}
	if last, err := b.Last(t.Context()); err != nil || last != first+20 {
		t.Errorf("%d events are stored (%v), want %d", last, err, first+20)
	}
}

// TestOneBadEventTakesNobodyAlong has in one group an event that was stored long ago,
// one that comes twice, one that is too large, and good ones.
func TestOneBadEventTakesNobodyAlong(t *testing.T) {
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	known, twice := numbered(t, "known", 1), numbered(t, "twice", 1)
	knownAt := publish(t, b, known)
	tooLarge, err := event.First("test", now, &event.CallReceived{Project: "demo", Source: event.FromWebhook, Method: "POST", Body: make([]byte, 1<<20), ReceivedAt: now})
	if err != nil {
		t.Fatal(err)
	}
	events := append(numberedTo(t, "a", 6), known, twice, twice)
	release, answers := b.Gather(), make([]fate, len(events)+1)
	var all sync.WaitGroup
	for i, e := range append(events, tooLarge) {
		all.Go(func() { answers[i].seq, answers[i].err = b.Publish(context.Background(), e) })
	}
	bustest.Eventually(t, limit, "the good ones gather", func() bool { return b.Waiting() == len(events) })
	release()
	all.Wait()
	for i, e := range events {
		if answers[i].err != nil {
			t.Errorf("event %d: %v, want it stored", i, answers[i].err)
		} else {
			wantAt(t, b, answers[i].seq, e)
		}
	}
	if got := answers[6].seq; got != knownAt {
		t.Errorf("the known event is said to be at %d, want %d, where it was", got, knownAt)
	}
	if answers[7].seq != answers[8].seq {
		t.Errorf("the event that came twice was stored at %d and %d, want once", answers[7].seq, answers[8].seq)
	}
	if err := answers[len(events)].err; err == nil {
		t.Error("an event over the broker's limit was stored, want an error")
	}
	if last, err := b.Last(t.Context()); err != nil || last != knownAt+7 {
		t.Errorf("%d events are stored (%v), want %d: six, and the one that came twice once", last, err, knownAt+7)
	}
	// What was refused as a batch must not travel as a part of one afterwards.
	for _, got := range answers[:len(events)] {
		if inABatch(t, b, got.seq) {
			t.Errorf("event %d was stored in a batch that was refused", got.seq)
		}
	}
	together(t, b, numberedTo(t, "later", 5)...)
	if last, err := b.Last(t.Context()); err != nil || !inABatch(t, b, last) {
		t.Errorf("after a refused batch the next did not go together (%v)", err)
	}
}

func TestWhoGivesUpIsNotStoredLaterAndTakesNobodyAlong(t *testing.T) {
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	release := b.Gather()
	ctx, giveUp := context.WithCancel(t.Context())
	events, answers := numberedTo(t, "a", 9), make(chan fate, 9)
	gaveUp := make(chan error, 1)
	for i, e := range events {
		if i == 4 {
			go func() { _, err := b.Publish(ctx, e); gaveUp <- err }()
			continue
		}
		go func() { seq, err := b.Publish(context.Background(), e); answers <- fate{seq, err} }()
	}
	bustest.Eventually(t, limit, "all nine gather", func() bool { return b.Waiting() == 9 })
	giveUp()
	if err := receive(t, gaveUp, "the one that gives up returns at once"); !errors.Is(err, bus.ErrUnavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("the one that gave up got %v, want ErrUnavailable and why", err)
	}
	release()
	for range 8 {
		if got := receive(t, answers, "the others are stored"); got.err != nil {
			t.Errorf("one of the others got %v, want it stored", got.err)
		}
	}
	if last, err := b.Last(t.Context()); err != nil || last != 8 {
		t.Fatalf("%d events are stored (%v), want the 8 that waited", last, err)
	}
	for seq := uint64(1); seq <= 8; seq++ {
		if e, err := b.Get(t.Context(), seq); err != nil || e.ID == events[4].ID {
			t.Errorf("event %d is %s (%v): that publisher was told that it may not be stored", seq, e.ID, err)
		}
	}
}

func TestABatchThatIsNotAnsweredIsUnavailableToEach(t *testing.T) {
	b := openDurable(t, t.TempDir())
	release, answers := b.Gather(), make(chan error, 9)
	for _, e := range numberedTo(t, "a", 9) {
		go func() { _, err := b.Publish(context.Background(), e); answers <- err }()
	}
	bustest.Eventually(t, limit, "all nine gather", func() bool { return b.Waiting() == 9 })
	shut(t, b)
	release()
	for range 9 {
		if err := receive(t, answers, "each is answered"); !errors.Is(err, bus.ErrUnavailable) {
			t.Errorf("without a broker one of a group got %v, want ErrUnavailable", err)
		}
	}
}

// TestManyPublishersAtOnceEachFindTheirOwn also takes a backup meanwhile, which holds
// all writes for a moment, and has a reader.
func TestManyPublishersAtOnceEachFindTheirOwn(t *testing.T) {
	const publishers, each = 24, 40
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	read := &list[string]{}
	stop := run(t, b, nil, parkedWork("reader", func(_ context.Context, e event.Envelope) ([]event.Envelope, error) {
		read.add(e.ID)
		return nil, nil
	}))
	var all sync.WaitGroup
	places := make([][]uint64, publishers)
	for p := range publishers {
		all.Go(func() {
			for n := range each {
				e := numbered(t, fmt.Sprint("call", p), n)
				seq, err := b.Publish(context.Background(), e)
				if err != nil {
					t.Errorf("publisher %d, event %d: %v", p, n, err)
					return
				}
				wantAt(t, b, seq, e)
				places[p] = append(places[p], seq)
			}
		})
	}
	file, _ := backUp(t, b)
	all.Wait()
	if _, err := restore(t, filepath.Join(t.TempDir(), "broker"), file); err != nil {
		t.Errorf("restore what was backed up meanwhile: %v", err)
	}
	for p, seqs := range places {
		if !slices.IsSorted(seqs) {
			t.Errorf("the events of publisher %d lie at %v, want them in its order", p, seqs)
		}
	}
	batches := 0
	for seq := uint64(1); seq <= publishers*each; seq++ {
		if inABatch(t, b, seq) {
			batches++
		}
	}
	if batches < publishers*each/2 {
		t.Errorf("%d of %d events went together with others, want most", batches, publishers*each)
	}
	bustest.Eventually(t, limit, "the reader has them all", func() bool { return len(read.all()) == publishers*each })
	stop()
}

func TestAFullStoreRefusesGroupsAndLosesNothingOfThem(t *testing.T) {
	dir := t.TempDir()
	b, err := bus.Open(t.Context(), bus.Options{Dir: dir, MaxStore: 1 << 20, Log: zaptest.NewLogger(t)})
	if err != nil {
		t.Fatal(err)
	}
	stored := &list[event.Envelope]{}
	var all sync.WaitGroup
	for p := range 16 {
		all.Go(func() {
			for n := 0; ; n++ {
				e := bulky(t, p*1000+n)
				_, err := b.Publish(context.Background(), e)
				refused := err != nil
				if refused && !errors.Is(err, bus.ErrUnavailable) {
					t.Errorf("a full store answered %v, want ErrUnavailable", err)
				}
				if refused {
					// It may be stored or not, of a batch that found room for some: asked
					// again, the answer must be true.
					_, err = b.Publish(context.Background(), e)
				}
				if err == nil {
					stored.add(e)
				}
				if refused {
					return
				}
			}
		})
	}
	all.Wait()
	shut(t, b)
	b = open(t, dir)
	defer shut(t, b)
	last, err := b.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for seq := uint64(1); seq <= last; seq++ {
		e, err := b.Get(t.Context(), seq)
		if err != nil || found[e.ID] {
			t.Errorf("event %d: %s twice, or %v", seq, e.ID, err)
		}
		found[e.ID] = true
	}
	for _, e := range stored.all() {
		if !found[e.ID] {
			t.Errorf("%s was acknowledged and is not stored", e.ID)
		}
	}
	if len(stored.all()) < 16 {
		t.Errorf("%d events were stored before the limit, want some of each publisher", len(stored.all()))
	}
}

func TestAGroupedBackupIsRestoredAsItWas(t *testing.T) {
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	events := numberedTo(t, "a", 12)
	together(t, b, events...)
	file, _ := backUp(t, b)
	dir := filepath.Join(t.TempDir(), "broker")
	if _, err := restore(t, dir, file); err != nil {
		t.Fatal(err)
	}
	other := openDurable(t, dir)
	defer shut(t, other)
	for i, e := range events {
		wantAt(t, other, uint64(i+1), e)
	}
	together(t, other, numberedTo(t, "b", 6)...)
	if last, err := other.Last(t.Context()); err != nil || last != 18 || !inABatch(t, other, last) {
		t.Errorf("the restored broker holds %d events (%v), want 18, the last six stored together", last, err)
	}
}

func TestAStreamOfAnEarlierVersionLearnsToTakeBatches(t *testing.T) {
	dir := t.TempDir()
	b := open(t, dir)
	publish(t, b, numbered(t, "a", 1))
	if err := b.ForbidBatches(t.Context()); err != nil {
		t.Fatal(err)
	}
	shut(t, b)
	b = openDurable(t, dir)
	defer shut(t, b)
	together(t, b, numberedTo(t, "b", 6)...)
	if last, err := b.Last(t.Context()); err != nil || last != 7 || !inABatch(t, b, last) {
		t.Errorf("%d events are stored (%v), want 7, the last six together", last, err)
	}
}

func TestWithoutAMemoryEachIsStoredAloneAndTheLogSaysSoOnce(t *testing.T) {
	onDisk := t.TempDir()
	for name, memory := range map[string]string{"missing": filepath.Join(onDisk, "none"), "not in memory": onDisk} {
		core, logs := observer.New(zap.WarnLevel)
		b, err := bus.Open(t.Context(), bus.Options{Dir: t.TempDir(), Memory: memory, Log: zap.New(core)})
		if err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for i, e := range numberedTo(t, "a", 30) {
			all.Go(func() {
				if _, err := b.Publish(context.Background(), e); err != nil {
					t.Errorf("memory %s, event %d: %v", name, i, err)
				}
			})
		}
		all.Wait()
		for seq := uint64(1); seq <= 30; seq++ {
			if inABatch(t, b, seq) {
				t.Errorf("memory %s: event %d went in a batch", name, seq)
			}
		}
		if said := logs.FilterMessageSnippet("no memory"); said.Len() != 1 {
			t.Errorf("memory %s: the log has %d lines about it, want 1", name, said.Len())
		}
		shut(t, b)
	}
}

// stageOf is where the link in a broker's folder leads, "" where there is none.
func stageOf(t *testing.T, dir string) string {
	t.Helper()
	links, err := filepath.Glob(filepath.Join(dir, "jetstream", "*", "streams", bus.Stream, "batches"))
	if err != nil || len(links) == 0 {
		return ""
	}
	folder, err := os.Readlink(links[0])
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestBatchesAreStagedInMemoryAndLeaveNothingThere(t *testing.T) {
	dir := t.TempDir()
	b := openDurable(t, dir)
	together(t, b, numberedTo(t, "a", 9)...)
	folder := stageOf(t, dir)
	if !strings.HasPrefix(folder, "/dev/shm/ringbridge-") {
		t.Fatalf("batches are staged in %q, want in /dev/shm", folder)
	}
	if info, err := os.Stat(folder); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder in memory has the mode %v (%v), want it closed to others", info.Mode(), err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("after the batches the folder in memory holds %v (%v), want nothing", left, err)
	}
	shut(t, b)
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) || stageOf(t, dir) != "" {
		t.Errorf("after a clean stop the folder in memory is still there (%v), or the link to it", err)
	}
}

// TestAStartAfterAKillMakesANewStage has what a process that was killed leaves: a link
// into a folder that holds something, or into one that went with the machine's power.
func TestAStartAfterAKillMakesANewStage(t *testing.T) {
	for _, gone := range []bool{false, true} {
		dir := t.TempDir()
		b := openDurable(t, dir)
		together(t, b, numberedTo(t, "a", 9)...)
		folder := stageOf(t, dir)
		shut(t, b)
		if err := os.Symlink(folder, filepath.Join(dir, "jetstream", "$G", "streams", bus.Stream, "batches")); err != nil {
			t.Fatal(err)
		}
		if !gone {
			if err := os.MkdirAll(filepath.Join(folder, "half", "a", "batch"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		b = openDurable(t, dir)
		if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
			t.Errorf("gone %v: the folder in memory holds %v (%v), want an empty one", gone, left, err)
		}
		together(t, b, numberedTo(t, "b", 9)...)
		if last, err := b.Last(t.Context()); err != nil || last != 18 || !inABatch(t, b, last) {
			t.Errorf("gone %v: %d events are stored (%v), want 18, the last nine together", gone, last, err)
		}
		shut(t, b)
	}
}

func TestALoneEventDoesNotWaitForCompany(t *testing.T) {
	b := openDurable(t, t.TempDir())
	defer shut(t, b)
	release := b.Gather()
	done := make(chan struct{})
	go func() { defer close(done); publish(t, b, numbered(t, "a", 1)) }()
	bustest.Eventually(t, limit, "it waits for the one before", func() bool { return b.Waiting() == 1 })
	release()
	receive(t, done, "it goes once the one before is stored, with nobody else about")
}
