package analytics

import (
	"encoding/binary"
	"errors"
)

// quarters are the sums of all calls of a slot, by quarter of an hour.
//
// In the file they are one text of numbers: a year has 35,000 quarters, and a row for
// each would take longer to read than all the rest of a report. Each quarter with calls
// is its number and then its sums in the order of the columns.
type quarters [quartersOfSlot]counts

var errQuarters = errors.New("the sums of a slot cannot be read")

func (q *quarters) bytes() []byte {
	out := []byte{}
	for n := range q {
		if q[n] == (counts{}) {
			continue
		}
		out = binary.AppendUvarint(out, uint64(n))
		for _, sum := range q[n].columns() {
			out = binary.AppendVarint(out, *sum)
		}
	}
	return out
}

// read takes over what bytes wrote.
func (q *quarters) read(from []byte) error {
	*q = quarters{}
	for len(from) > 0 {
		n, size := binary.Uvarint(from)
		if size <= 0 || n >= uint64(len(q)) {
			return errQuarters
		}
		from = from[size:]
		for _, sum := range q[n].columns() {
			if *sum, size = binary.Varint(from); size <= 0 {
				return errQuarters
			}
			from = from[size:]
		}
	}
	return nil
}
