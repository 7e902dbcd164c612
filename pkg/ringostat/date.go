package ringostat

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/fault"
)

// Shapes of a date without its zone. The format is a setting of the hook (help
// 6313229); seen are "2022-01-01 10:16:46" and the ISO form. Dates with slashes
// and the year last are refused: nobody can tell 01/02 from 02/01.
var wallLayouts = []string{
	"2006-01-02 15:04:05",
	"2006-01-02 15:04",
	"2006-01-02 03:04:05 PM",
	"2006/01/02 15:04:05",
	"02.01.2006 15:04:05",
	"02.01.2006 15:04",
	"02-01-2006 15:04:05",
	"20060102150405",
}

// Shapes that name their zone in their own way.
var zonedLayouts = []string{time.RFC1123Z, time.RFC1123}

// dateZone splits a date from its zone. A blank instead of the plus is what is
// left of it after a form was decoded.
var dateZone = regexp.MustCompile(`^(.*\d:\d\d(?:[.,]\d{1,9})?) ?(?:([Zz]|UTC|GMT)|([+ -])(\d\d):?(\d\d)?)$`)

var fraction = regexp.MustCompile(`(:\d\d)[.,]\d{1,9}$`)

// readDate reads a date with or without a zone, or an epoch in seconds,
// milli-, micro- or nanoseconds. A date without a zone is taken in loc.
func readDate(s string, loc *time.Location) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if s == "" || len(s) > 64 {
		return time.Time{}, false
	}
	if len(s) == len(time.DateTime) && s[4] == '-' && s[7] == '-' && s[10] == ' ' { // nearly all; it has no zone
		if t, err := time.Parse(time.DateTime, s); err == nil {
			t = inLocation(t, loc)
			return t, plausible(t)
		}
	}
	if t, ok := readEpoch(s, loc); ok {
		return t, true
	}
	for _, layout := range zonedLayouts {
		if t, err := time.Parse(layout, s); err == nil && plausible(t) {
			// A zone in letters is only sure when it is Greenwich.
			name, _ := t.Zone()
			return t, layout == time.RFC1123Z || name == "UTC" || name == "GMT"
		}
	}
	wall, zone, zoned := s, time.UTC, false
	if parts := dateZone.FindStringSubmatch(s); parts != nil {
		wall, zoned = parts[1], true
		if parts[2] == "" {
			offset, ok := readOffset(parts[3], parts[4], parts[5])
			if !ok {
				return time.Time{}, false
			}
			zone = offset
		}
	}
	t, ok := readWall(wall)
	if !ok {
		return time.Time{}, false
	}
	if zoned {
		t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone)
	} else {
		t = inLocation(t, loc)
	}
	return t, plausible(t)
}

func readWall(s string) (time.Time, bool) {
	if len(s) > 10 && (s[10] == 'T' || s[10] == 't') {
		s = s[:10] + " " + s[11:]
	}
	s = fraction.ReplaceAllString(s, "$1")
	for _, layout := range wallLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func readOffset(sign, hours, minutes string) (*time.Location, bool) {
	h, _ := strconv.Atoi(hours)
	m, _ := strconv.Atoi(minutes)
	if h > 14 || m > 59 {
		return nil, false
	}
	seconds := h*3600 + m*60
	if sign == "-" {
		seconds = -seconds
	}
	return time.FixedZone("", seconds), true
}

// inLocation gives a wall clock time (held in UTC) its place. In the hour that
// a clock change repeats it is the first pass; in the hour that a clock change
// skips it is the time the clock would have shown without the change.
func inLocation(wall time.Time, loc *time.Location) time.Time {
	if fault.Wrong("zone-of-the-server") {
		loc = time.UTC
	}
	_, before := wall.Add(-24 * time.Hour).In(loc).Zone()
	_, after := wall.Add(24 * time.Hour).In(loc).Zone()
	first := wall.Add(-time.Duration(before) * time.Second).In(loc)
	if sameWall(first, wall) {
		return first
	}
	if second := wall.Add(-time.Duration(after) * time.Second).In(loc); sameWall(second, wall) {
		return second
	}
	return first
}

func sameWall(t, wall time.Time) bool {
	return t.Hour() == wall.Hour() && t.Minute() == wall.Minute() && t.Second() == wall.Second() && t.YearDay() == wall.YearDay() && t.Year() == wall.Year()
}

// epochUnits tells the unit of an epoch by its number of digits.
var epochUnits = map[int]time.Duration{10: time.Second, 13: time.Millisecond, 16: time.Microsecond, 19: time.Nanosecond}

func readEpoch(s string, loc *time.Location) (time.Time, bool) {
	digits := s
	if whole, rest, found := strings.Cut(s, "."); found && len(whole) == 10 && len(rest) <= 9 && allDigits(rest) {
		digits = whole
	}
	unit, ok := epochUnits[len(digits)]
	if !ok || !allDigits(digits) {
		return time.Time{}, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	perSecond := int64(time.Second / unit)
	t := time.Unix(n/perSecond, n%perSecond*int64(unit)).In(loc)
	return t, plausible(t)
}

// idEpoch matches the start second inside a call id: an optional node prefix,
// the second, a sequence number (ua0_-1731315881.12669683). The vendor says
// nothing about it; that it is Asterisk's form is our reading.
var idEpoch = regexp.MustCompile(`^(?:[a-z]+\d*_-)?(\d{10})\.\d+$`)

// startFromID is used only when the request has no date at all.
func startFromID(id string, loc *time.Location) (time.Time, bool) {
	parts := idEpoch.FindStringSubmatch(id)
	if parts == nil {
		return time.Time{}, false
	}
	return readEpoch(parts[1], loc)
}

// plausible keeps out zero dates and digits that are no time: Ringostat did
// not exist before 2010 (our reading), and no program runs for ever.
func plausible(t time.Time) bool { return t.Year() >= 2010 && t.Year() < 2100 }

func allDigits(s string) bool {
	for _, r := range s {
		if r < '0' || r > '9' {
			return false
		}
	}
	return s != ""
}
