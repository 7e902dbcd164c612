package bus

import (
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// This file is what this program makes in a broker: [Open], the stores and the readers
// make it or bring it up to date at every start, and [Inspect] says what differs.

const (
	defaultAckWait  = 30 * time.Second
	defaultHeld     = 1000
	defaultFeedHeld = 5000
)

// batches: events that come together share an fsync, where the broker is ours.
func streamConfig(name, subject string, replicas int, batches bool) jetstream.StreamConfig {
	keep := jetstream.LimitsPolicy
	if fault.Wrong("log-forgets-what-was-read") {
		keep = jetstream.InterestPolicy
	}
	return jetstream.StreamConfig{
		Name: name, Subjects: []string{subject},
		Description: "every event of ringbridge, in the order it was stored",
		Retention:   keep, Storage: jetstream.FileStorage, Compression: jetstream.S2Compression,
		Discard: jetstream.DiscardNew, DenyDelete: true, AllowDirect: true,
		Duplicates: 2 * time.Minute, Replicas: replicas,
		AllowAtomicPublish: batches,
	}
}

func storeConfig(name, about string, while time.Duration, replicas int) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: name, Description: about, History: 1, TTL: while, Storage: jetstream.FileStorage, Compression: true, Replicas: replicas,
	}
}

func leaseConfig(replicas int) jetstream.KeyValueConfig {
	return jetstream.KeyValueConfig{
		Bucket: leaseBucket, Description: "which process works what only one may work", History: 1,
		Storage: jetstream.FileStorage, Replicas: replicas, LimitMarkerTTL: time.Minute,
	}
}

func readerConfig(durable string, filters []string, ackWait time.Duration, held int) jetstream.ConsumerConfig {
	return jetstream.ConsumerConfig{
		Durable: durable, FilterSubjects: filters, AckPolicy: jetstream.AckExplicitPolicy,
		AckWait: ackWait, MaxAckPending: held, MaxDeliver: -1, DeliverPolicy: jetstream.DeliverAllPolicy,
	}
}
