// Package view keeps read models: SQLite files that are built from the stream and hold
// nothing that the stream does not hold. They can be deleted at any time; a missing one,
// one of another version and one of another stream are built from the first event on.
// [View.Rebuild] builds one anew while the old one answers.
//
// A model changes nothing outside its file. Start reading at [Views.Start].
package view

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/bus"
)

// Model says what a read model keeps of the stream.
type Model struct {
	// Name names the file, and is what a rebuild is asked for.
	Name string
	// Version, from 1, changes with the schema and with what Apply makes of an event.
	Version int
	Schema  string
	// Apply takes one event into the file. Events come in the stream's order; one that
	// was stored twice comes twice. An event that it does not understand is no error.
	Apply func(*Tx, bus.Recorded) error
}

// View is a read model that follows the stream.
type View struct {
	model  Model
	dir    string
	bus    *bus.Bus
	log    *zap.Logger
	served bus.Progress // of what is read

	mu      sync.Mutex
	reading *file              // what is read
	feeding *file              // what takes events; another than reading while it catches up
	pause   context.CancelFunc // ends the following of feeding
	build   building
	asked   chan struct{}
	leaving sync.WaitGroup // old files on their way out
}

// Open opens a model's file in dir, making it anew where it is missing, of another
// version, or not made of this stream: fits says whether the event with that id is
// stored at seq. The view does not follow the stream; see [Views.Start].
func Open(ctx context.Context, dir string, m Model, fits func(seq uint64, id string) bool) (*View, error) {
	f, err := openNewest(ctx, dir, m, fits)
	if err != nil {
		return nil, err
	}
	return &View{model: m, dir: dir, reading: f, feeding: f, asked: make(chan struct{}, 1), log: zap.NewNop()}, nil
}

// Read gives the file to read from; done must be called after the last row.
func (v *View) Read() (db *sql.DB, done func()) {
	v.mu.Lock()
	defer v.mu.Unlock()
	f := v.reading
	f.users.Add(1)
	return f.read, f.users.Done
}

// patience is how long a question waits for the events that were stored before it.
const patience = 10 * time.Second

// CaughtUp waits until the view has what was stored when the question came, so that an
// answer never misses what was acknowledged before. Its error says how far the view is.
func (v *View) CaughtUp(ctx context.Context) error {
	last, err := v.bus.Last(ctx)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := v.served.Wait(ctx, last); err != nil {
		return fmt.Errorf("the index is still being built (%d of %d events): %w", v.served.Seq(), last, err)
	}
	return nil
}

// Next waits until the view has more than the first after events of the stream, and
// tells how many it has by then. It is how a page learns that there may be news without
// asking again and again.
func (v *View) Next(ctx context.Context, after uint64) (uint64, error) {
	if err := v.served.Wait(ctx, after+1); err != nil {
		return after, err
	}
	return v.served.Seq(), nil
}

// Apply takes a batch of events, in the stream's order. What follows the stream does it
// by itself; tests do it without a broker.
func (v *View) Apply(ctx context.Context, batch []bus.Recorded) error {
	v.mu.Lock()
	f := v.feeding
	v.mu.Unlock()
	if err := f.apply(ctx, batch); err != nil {
		return err
	}
	v.publish(f)
	return nil
}

// Close closes the files of a view that follows nothing.
func (v *View) Close() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	err := v.reading.close()
	if v.feeding != v.reading {
		err = errors.Join(err, v.feeding.close())
	}
	return err
}

// run follows the stream until ctx is over.
func (v *View) run(ctx context.Context) error {
	for ctx.Err() == nil {
		following, pause := context.WithCancel(ctx)
		v.mu.Lock()
		f := v.feeding
		v.pause = pause
		v.mu.Unlock()
		v.publish(f)
		err := v.bus.Follow(following, bus.View{Name: v.model.Name, After: f.last.seq, Apply: v.Apply}, &v.served)
		pause()
		if err != nil {
			return err // a panic leaves the files open too, for the next try
		}
	}
	err := v.Close()
	v.leaving.Wait()
	return err
}

// publish lets a file that was built anew be read once it has all that answers showed
// before, and takes the old one away when nobody reads it any more.
func (v *View) publish(f *file) {
	v.mu.Lock()
	defer v.mu.Unlock()
	old := v.reading
	if f == old || f.last.seq < v.served.Seq() {
		return
	}
	v.reading = f
	v.build.end(nil)
	v.log.Info("a read model was built anew", zap.String("view", v.model.Name), zap.Uint64("events", f.last.seq))
	v.leaving.Go(func() {
		old.users.Wait()
		if err := errors.Join(old.close(), remove(old.path)); err != nil {
			v.log.Warn("an old read model could not be taken away", zap.String("view", v.model.Name), zap.Error(err))
		}
	})
}
