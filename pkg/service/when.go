package service

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ReadTime reads a time as people give it: RFC 3339, a date (its beginning in the zone),
// or a span back from now such as 36h. The zero time is what nothing means.
func ReadTime(raw string, zone *time.Location, now time.Time) (time.Time, error) {
	raw = strings.TrimSpace(raw)
	if raw == "" {
		return time.Time{}, nil
	}
	// In a query an unescaped + of the offset arrives as a blank.
	if t, err := time.Parse(time.RFC3339, strings.Replace(raw, " ", "+", 1)); err == nil {
		return t, nil
	}
	if t, err := time.ParseInLocation(time.DateOnly, raw, zone); err == nil {
		return t, nil
	}
	if d, err := time.ParseDuration(raw); err == nil && d >= 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("time %q is not understood; write 2026-01-31T09:00:00+02:00, 2026-01-31, or a span back such as 36h", raw)
}

// ErrSpan is what [ReadSpan] returns of a span that ends before it begins, or at once.
var ErrSpan = errors.New("since is not before until, so nothing lies between them")

// ReadSpan reads two times, each as [ReadTime] does.
func ReadSpan(since, until string, zone *time.Location, now time.Time) (from, to time.Time, err error) {
	if from, err = ReadTime(since, zone, now); err != nil {
		return from, to, fmt.Errorf("since: %w", err)
	}
	if to, err = ReadTime(until, zone, now); err != nil {
		return from, to, fmt.Errorf("until: %w", err)
	}
	if !from.IsZero() && !to.IsZero() && !from.Before(to) {
		return from, to, ErrSpan
	}
	return from, to, nil
}
