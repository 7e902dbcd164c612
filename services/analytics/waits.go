package analytics

import (
	"encoding/binary"
	"errors"
	"slices"
	"sort"
)

// waits is how long clients waited, in seconds, ascending. In the file they are one text
// of numbers, each of them how much it is above the one before.
type waits []int64

var errWaits = errors.New("the waits of a slot cannot be read")

func (w waits) bytes() []byte {
	out := []byte{}
	last := int64(0)
	for _, s := range w {
		out = binary.AppendUvarint(out, uint64(s-last))
		last = s
	}
	return out
}

func readWaits(from []byte) (w waits, err error) {
	last := int64(0)
	for len(from) > 0 {
		more, size := binary.Uvarint(from)
		if size <= 0 {
			return nil, errWaits
		}
		last += int64(more)
		w, from = append(w, last), from[size:]
	}
	return w, nil
}

func (w waits) with(s int64) waits {
	at, _ := slices.BinarySearch(w, s)
	return slices.Insert(w, at, s)
}

func (w waits) without(s int64) waits {
	if at, ok := slices.BinarySearch(w, s); ok {
		return slices.Delete(w, at, at+1)
	}
	return w
}

// upTo counts those that are at most so long.
func (w waits) upTo(s int64) int {
	n, _ := slices.BinarySearch(w, s+1)
	return n
}

// nth is the n-th of all the waits in their order, from 0. It looks for the shortest time
// within which enough of them are, which is quicker than putting them in one order.
func nth(all []waits, n int) int64 {
	longest := int64(0)
	for _, w := range all {
		if len(w) > 0 {
			longest = max(longest, w[len(w)-1])
		}
	}
	return int64(sort.Search(int(longest), func(s int) bool {
		within := 0
		for _, w := range all {
			within += w.upTo(int64(s))
		}
		return within > n
	}))
}
