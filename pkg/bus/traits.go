package bus

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// trait is one setting of a stream or a reader, as a text.
type trait struct {
	name, value string
	// fixed says that it can't be changed in place from a value; nil means that it can
	// from any. (nats-server 2.15: server/stream.go configUpdateCheck, server/consumer.go
	// checkNewConsumerConfig.)
	fixed func(is string) bool
	// says is what a person should know of changing it.
	says string
}

const (
	traitStorage   = "storage"
	traitRetention = "retention"
)

func always(string) bool { return true }

// forgets is what limits do to a log that is kept for good.
const forgets = "with a limit the oldest is forgotten, and what was forgotten does not come back; taking the limit away keeps the rest"

func streamTraits(c jetstream.StreamConfig) []trait {
	return []trait{
		{traitStorage, c.Storage.String(), always, ""},
		{traitRetention, c.Retention.String(), func(is string) bool { return is == jetstream.WorkQueuePolicy.String() }, forgets},
		{"subjects", texts(c.Subjects), nil, ""},
		{"replicas", fmt.Sprint(max(c.Replicas, 1)), nil, "copies are made or given up while everything goes on"},
		{"max age", span(c.MaxAge), nil, forgets},
		{"max messages", limit(c.MaxMsgs), nil, forgets},
		{"max bytes", limit(c.MaxBytes), nil, forgets},
		{"max messages per subject", limit(c.MaxMsgsPerSubject), nil, forgets},
		{"max message size", limit(int64(c.MaxMsgSize)), nil, "a larger request would be refused"},
		{"discard", c.Discard.String(), nil, "when it is full it refuses the new, or forgets the old"},
		{"deny delete", fmt.Sprint(c.DenyDelete), nil, "afterwards nobody can delete single events"},
		{"duplicate window", span(c.Duplicates), nil, ""},
		{"compression", c.Compression.String(), nil, "what is stored already stays as it is"},
		{"direct get", fmt.Sprint(c.AllowDirect), nil, ""},
		{"sealed", fmt.Sprint(c.Sealed), always, ""},
		{"description", c.Description, nil, ""},
	}
}

// storeTraits are those of the stream that holds a store.
func storeTraits(kv jetstream.KeyValueConfig) []trait {
	c := jetstream.StreamConfig{
		Description: kv.Description, Subjects: []string{"$KV." + kv.Bucket + ".>"}, MaxMsgsPerSubject: int64(max(kv.History, 1)), MaxAge: kv.TTL,
		Storage: kv.Storage, Replicas: kv.Replicas, Discard: jetstream.DiscardNew, DenyDelete: true, AllowDirect: true, Duplicates: 2 * time.Minute,
	}
	if kv.TTL > 0 {
		c.Duplicates = min(c.Duplicates, kv.TTL)
	}
	if kv.Compression {
		c.Compression = jetstream.S2Compression
	}
	return streamTraits(c)
}

func readerTraits(c jetstream.ConsumerConfig) []trait {
	filters := c.FilterSubjects
	if c.FilterSubject != "" {
		filters = append(slices.Clone(filters), c.FilterSubject)
	}
	return []trait{
		{"begins with", c.DeliverPolicy.String(), always, ""},
		{"acknowledges", c.AckPolicy.String(), always, ""},
		{"filters", texts(filters), nil, "events of a new kind are read from the first one on"},
		{"ack wait", span(c.AckWait), nil, ""},
		{"held", limit(int64(c.MaxAckPending)), nil, ""},
		{"max deliveries", limit(int64(c.MaxDeliver)), nil, "with a limit an event that could not be handled so often would be left out"},
	}
}

func texts(list []string) string {
	list = slices.Clone(list)
	slices.Sort(list)
	return strings.Join(list, " ")
}

// limit says a number, of which nought and less mean none.
func limit(n int64) string {
	if n <= 0 {
		return "no limit"
	}
	return fmt.Sprint(n)
}

func span(d time.Duration) string {
	if d <= 0 {
		return "no limit"
	}
	return d.String()
}
