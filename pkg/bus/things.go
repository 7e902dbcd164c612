package bus

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/nats-io/nats.go/jetstream"
)

// This file compares what a broker keeps with what it should: streams, stores, readers.

// thing is a stream, a store or a reader that should be there.
type thing struct {
	what string
	want []trait
	// remedy is what to do where something of it can't be changed in place.
	remedy string
	// optional things may be missing.
	optional bool
	is       func(context.Context) ([]trait, bool, error)
	make     func(ctx context.Context, differs []Difference) error
}

func (t thing) differences(ctx context.Context) (out []Difference, err error) {
	is, there, err := t.is(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("ask for %s: %w", t.what, err)
	case !there && t.optional:
		return nil, nil
	case !there:
		return []Difference{{What: t.what, InPlace: true, Says: "it can be made"}}, nil
	}
	for n, want := range t.want {
		if is[n].value == want.value {
			continue
		}
		d := Difference{What: t.what, Setting: want.name, Is: is[n].value, Want: want.value, InPlace: want.fixed == nil || !want.fixed(is[n].value), Says: want.says}
		if !d.InPlace {
			d.Says = t.remedy
		}
		out = append(out, d)
	}
	return out, nil
}

func (b *Bus) wanted(w Wanted) []thing {
	events := streamConfig(b.name, topicEvents+".>", b.replicas, b.server != nil)
	things := []thing{{
		what: "stream " + b.name, want: streamTraits(events), remedy: b.moving(),
		is: b.stands(b.name),
		make: func(ctx context.Context, differs []Difference) error {
			_, err := b.js.CreateOrUpdateStream(ctx, leftAsItIs(events, differs, func() (jetstream.StreamConfig, error) { return b.config(ctx, b.name) }))
			return err
		},
	}}
	for _, s := range w.Stores {
		things = append(things, b.storeThing(storeConfig(s.Name, s.About, s.While, b.replicas), false))
	}
	things = append(things, b.storeThing(storeConfig(restores, restoresAbout, 0, b.replicas), true))
	if !b.Embedded() {
		things = append(things, b.storeThing(leaseConfig(b.replicas), false))
	}
	for _, r := range w.Readers {
		held := r.Held
		switch {
		case held == 0 && r.Feed:
			held = defaultFeedHeld
		case held == 0:
			held = defaultHeld
		}
		things = append(things, b.readerThing(readerConfig(r.Name, subjects(r.Project, r.Types), defaultAckWait, held)))
	}
	return things
}

func (b *Bus) storeThing(kv jetstream.KeyValueConfig, optional bool) thing {
	return thing{
		what: "store " + kv.Bucket, want: storeTraits(kv), remedy: b.moving(), optional: optional,
		is: b.stands(storePrefix + kv.Bucket),
		make: func(ctx context.Context, differs []Difference) error {
			if slices.ContainsFunc(differs, func(d Difference) bool { return d.Setting == traitStorage }) {
				kv.Storage = jetstream.MemoryStorage
			}
			_, err := b.js.CreateOrUpdateKeyValue(ctx, kv)
			return err
		},
	}
}

func (b *Bus) readerThing(c jetstream.ConsumerConfig) thing {
	return thing{
		what: "reader " + c.Durable, want: readerTraits(c),
		remedy: "this can't be changed in place: stop every ringbridge, take the reader away (`nats consumer rm " + b.name + " " + c.Durable +
			"`) and start; it then reads from the first event on, and what was done is not done again",
		is: func(ctx context.Context) ([]trait, bool, error) {
			consumer, err := b.js.Consumer(ctx, b.name, c.Durable)
			if errors.Is(err, jetstream.ErrConsumerNotFound) || errors.Is(err, jetstream.ErrStreamNotFound) {
				return nil, false, nil
			}
			if err != nil {
				return nil, false, err
			}
			return readerTraits(consumer.CachedInfo().Config), true, nil
		},
		make: func(ctx context.Context, differs []Difference) error {
			if slices.ContainsFunc(differs, func(d Difference) bool { return !d.InPlace }) {
				return nil // the broker changes all of it or nothing
			}
			_, err := b.js.CreateOrUpdateConsumer(ctx, b.name, c)
			return err
		},
	}
}

// moving is how what can't be changed is made anew.
func (b *Bus) moving() string {
	if b.Embedded() {
		return "this can't be changed in place: `ringbridge backup`, then `ringbridge restore` into another data folder, which makes it as it should be"
	}
	return "this can't be changed in place: make it anew with the broker's own tools (`nats stream backup`, remove, `nats stream restore` with the right configuration), while no ringbridge runs"
}

// leftAsItIs is a configuration with what can't be changed as it is.
func leftAsItIs(want jetstream.StreamConfig, differs []Difference, is func() (jetstream.StreamConfig, error)) jetstream.StreamConfig {
	now, err := is()
	if err != nil {
		return want // it is missing, and made
	}
	for _, d := range differs {
		switch {
		case d.InPlace:
		case d.Setting == traitStorage:
			want.Storage = now.Storage
		case d.Setting == traitRetention:
			want.Retention = now.Retention
		}
	}
	return want
}

func (b *Bus) config(ctx context.Context, stream string) (jetstream.StreamConfig, error) {
	s, err := b.js.Stream(ctx, stream)
	if err != nil {
		return jetstream.StreamConfig{}, err
	}
	return s.CachedInfo().Config, nil
}

// stands reads how a stream is configured.
func (b *Bus) stands(stream string) func(context.Context) ([]trait, bool, error) {
	return func(ctx context.Context) ([]trait, bool, error) {
		c, err := b.config(ctx, stream)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil, false, nil
		}
		return streamTraits(c), err == nil, err
	}
}

// strangers are what is there and not among the things.
func (b *Bus) strangers(ctx context.Context, things []thing, kin Kin) ([]string, error) {
	related, err := b.related(ctx, kin)
	if err != nil {
		return nil, err
	}
	known := func(what string) bool {
		return slices.Contains(related, what) || slices.ContainsFunc(things, func(t thing) bool { return t.what == what })
	}
	out := []string{}
	names := b.js.StreamNames(ctx)
	for name := range names.Name() {
		what := "stream " + name
		if bucket, ok := strings.CutPrefix(name, storePrefix); ok {
			what = "store " + bucket
		}
		if !known(what) {
			out = append(out, what)
		}
	}
	if err := names.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return nil, fmt.Errorf("ask for the streams: %w", err)
	}
	s, err := b.js.Stream(ctx, b.name)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return out, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find stream %s: %w", b.name, err)
	}
	readers := s.ListConsumers(ctx)
	for info := range readers.Info() {
		if what := "reader " + info.Config.Durable; info.Config.Durable != "" && !known(what) {
			out = append(out, what)
		}
	}
	if err := readers.Err(); err != nil && !errors.Is(err, jetstream.ErrEndOfData) {
		return nil, fmt.Errorf("ask for the readers: %w", err)
	}
	slices.Sort(out)
	return out, nil
}

// related names the readers that are kin.
func (b *Bus) related(ctx context.Context, kin Kin) (out []string, err error) {
	if kin.Keys == "" {
		return nil, nil
	}
	kv, err := b.js.KeyValue(ctx, kin.Keys)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open store %s: %w", kin.Keys, err)
	}
	keys, err := kv.Keys(ctx)
	if err != nil && !errors.Is(err, jetstream.ErrNoKeysFound) {
		return nil, fmt.Errorf("read the keys of store %s: %w", kin.Keys, err)
	}
	for _, key := range keys {
		for _, word := range kin.Words {
			out = append(out, "reader "+word+"-"+key)
		}
	}
	return out, nil
}
