package bitrixtest

import (
	"time"
)

// bucket is the leaky bucket of one source address. The portal cannot tell programs behind one
// address apart, so they share it.
type bucket struct {
	level float64
	at    time.Time
}

// take puts one request of the source in its bucket, or reports that it is full. A refused request
// is not put in.
func (p *Portal) take(source string) bool {
	if p.opt.Plan == Unlimited {
		return true
	}
	b := p.leak(source)
	if _, size := p.opt.Plan.bucket(); b.level+1 > size {
		return false
	}
	b.level++
	return true
}

func (p *Portal) leak(source string) *bucket {
	now := p.now()
	b := p.buckets[source]
	if b == nil {
		b = &bucket{at: now}
		p.buckets[source] = b
	}
	rate, _ := p.opt.Plan.bucket()
	if passed := now.Sub(b.at); passed > 0 {
		b.level = max(0, b.level-passed.Seconds()*rate)
		b.at = now
	}
	return b
}

// SpendBucket puts n requests of another program with the same source address in the bucket, as a
// second integration on the same machine would. It never goes above the bucket's size.
func (p *Portal) SpendBucket(source string, n int) {
	p.lock()
	defer p.mu.Unlock()
	_, size := p.opt.Plan.bucket()
	b := p.leak(source)
	b.level = min(size, b.level+float64(n))
}

const (
	operatingBuckets = 10
	operatingWindow  = 10 * time.Minute
	// operatingFloor: shorter calls are not accounted at all.
	operatingFloor = 100 * time.Millisecond
)

// operating is the execution time of one method of the webhook, in one-minute buckets, oldest first.
type operating struct {
	buckets []timeBucket
}

// timeBucket holds a minute's worth; it leaves the window ten minutes after its first call.
type timeBucket struct {
	first time.Time
	used  time.Duration
}

func (o *operating) expire(now time.Time) {
	for len(o.buckets) > 0 && now.Sub(o.buckets[0].first) >= operatingWindow {
		o.buckets = o.buckets[1:]
	}
}

func (o *operating) sum() (total time.Duration) {
	for _, b := range o.buckets {
		total += b.used
	}
	return total
}

func (p *Portal) operatingOf(method string) *operating {
	o := p.spent[method]
	if o == nil {
		o = &operating{}
		p.spent[method] = o
	}
	o.expire(p.now())
	return o
}

// blocked reports whether the method has used up its time. It is asked before a call, so the call
// that goes over the limit still runs.
func (p *Portal) blocked(method string) bool {
	return !p.opt.OnPremise && p.operatingOf(method).sum() > p.opt.OperatingLimit
}

func (p *Portal) account(method string, used time.Duration) {
	if used <= operatingFloor {
		return
	}
	now, o := p.now(), p.operatingOf(method)
	if n := len(o.buckets); n > 0 && now.Sub(o.buckets[n-1].first) < operatingWindow/operatingBuckets {
		o.buckets[n-1].used += used
		return
	}
	o.buckets = append(o.buckets, timeBucket{now, used})
}

// timeBlock is the "time" member of an answer. Commands in a batch have it too.
func (s session) timeBlock(method string, start time.Time, used time.Duration, nested bool) *array {
	s.enter()
	defer s.leave()
	p := s.p
	finish := p.now()
	if finish.Sub(start) < used {
		finish = start.Add(used)
	}
	t := object(
		"start", seconds(start), "finish", seconds(finish), "duration", finish.Sub(start).Seconds(),
		"processing", used.Seconds(),
		"date_start", start.Format(isoDate), "date_finish", finish.Format(isoDate))
	if p.opt.OnPremise {
		return t
	}
	o := p.operatingOf(method)
	reset := p.now().Add(operatingWindow)
	if len(o.buckets) > 0 {
		reset = o.buckets[0].first.Add(operatingWindow)
	}
	spent := o.sum().Seconds()
	if nested && p.opt.BillBatchWhole {
		spent = 0
	}
	t.set("operating_reset_at", int(reset.Unix()))
	t.set("operating", spent)
	return t
}

func seconds(t time.Time) float64 { return float64(t.UnixMicro()) / 1e6 }
