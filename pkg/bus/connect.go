package bus

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// errAway is what nats.go calls a full buffer, where ours holds nothing.
var errAway = errors.New("there is no connection to the broker")

func plainly(err error) error {
	if errors.Is(err, nats.ErrReconnectBufExceeded) {
		return errAway
	}
	return err
}

// noPeers is the code of "no suitable peers for placement" (nats-server, errors.json): in
// the first moments of a cluster its leader has not heard of the other servers. A cluster
// that is too small for the replicas says the same, so it is waited for only so long.
const (
	noPeers     jetstream.ErrorCode = 10005
	peersInTime                     = 15 * time.Second
	// noCluster is the code of "replicas > 1 not supported in non-clustered mode".
	noCluster jetstream.ErrorCode = 10074
)

func (b *Bus) makeStream(ctx context.Context, subject string) (err error) {
	begun := time.Now()
	var refused *jetstream.APIError
	for {
		b.stream, err = b.js.CreateOrUpdateStream(ctx, streamConfig(b.name, subject, b.replicas, b.server != nil))
		if !errors.As(err, &refused) || refused.ErrorCode != noPeers || time.Since(begun) > peersInTime {
			break
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("make stream %s: %w", b.name, errors.Join(ctx.Err(), err))
		case <-time.After(250 * time.Millisecond):
		}
	}
	if refused != nil && refused.ErrorCode == noCluster {
		return fmt.Errorf("make stream %s: `nats.replicas` is %d and the broker is a single server; want `nats.replicas: 1`, or the addresses of a cluster in `nats.url`: %w", b.name, b.replicas, err)
	}
	if err != nil {
		return fmt.Errorf("make stream %s (`ringbridge migrate` says what differs): %w", b.name, err)
	}
	return nil
}

func (b *Bus) connect(o Options) error {
	opts := []nats.Option{nats.Name("ringbridge"), nats.MaxReconnects(-1), nats.RetryOnFailedConnect(false)}
	url := o.URL
	if url == "" {
		var err error
		if b.server, b.unlock, err = startServer(o, b.log); err != nil {
			return err
		}
		b.disk = &disk{dir: o.Dir}
		opts = append(opts, nats.InProcessServer(b.server))
	} else {
		// A connection that died without a word is given up in half a minute.
		// One that was closed is made anew well before a lease is lost.
		opts = append(opts, nats.PingInterval(10*time.Second), nats.MaxPingsOutstanding(2), nats.ReconnectWait(500*time.Millisecond),
			// What cannot be sent is refused: kept, it would be stored after its sender was told
			// that it was not.
			nats.ReconnectBufSize(-1))
		if o.Credentials != "" {
			opts = append(opts, nats.UserCredentials(o.Credentials))
		}
	}
	nc, err := nats.Connect(url, opts...)
	if err != nil {
		if url != "" {
			err = fmt.Errorf("%w; want addresses in `nats.url` under which a NATS server answers that takes these credentials", err)
		}
		return errors.Join(fmt.Errorf("connect to the broker %s: %w", url, err), b.Close())
	}
	b.nc = nc
	return nil
}
