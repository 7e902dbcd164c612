package ringostat

import (
	"testing"
	"time"
)

func kyivZone(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

func TestEveryShapeOfADateIsRead(t *testing.T) {
	for raw, want := range map[string]string{
		"2026-01-02 12:00:00":             "2026-01-02T12:00:00+02:00",
		"2026-07-02 12:00:00":             "2026-07-02T12:00:00+03:00",
		"2026-01-02T12:00:00":             "2026-01-02T12:00:00+02:00",
		"2026-01-02 12:00":                "2026-01-02T12:00:00+02:00",
		"2026/01/02 12:00:00":             "2026-01-02T12:00:00+02:00",
		"02.01.2026 12:00:00":             "2026-01-02T12:00:00+02:00",
		"02.01.2026 12:00":                "2026-01-02T12:00:00+02:00",
		"02-01-2026 12:00:00":             "2026-01-02T12:00:00+02:00",
		"20260102120000":                  "2026-01-02T12:00:00+02:00",
		"2026-01-02 01:00:00 PM":          "2026-01-02T13:00:00+02:00",
		"2026-01-02T12:00:00+0300":        "2026-01-02T12:00:00+03:00",
		"2026-01-02T12:00:00 0300":        "2026-01-02T12:00:00+03:00", // a plus that went through a form
		"2026-01-02T12:00:00+03:00":       "2026-01-02T12:00:00+03:00",
		"2026-01-02T12:00:00+03":          "2026-01-02T12:00:00+03:00",
		"2026-01-02 12:00:00 -0530":       "2026-01-02T12:00:00-05:30",
		"2026-01-02T12:00:00Z":            "2026-01-02T12:00:00Z",
		"2026-01-02 12:00:00 UTC":         "2026-01-02T12:00:00Z",
		"2026-01-02T12:00:00.123456Z":     "2026-01-02T12:00:00Z",
		"2026-01-02 12:00:00,5":           "2026-01-02T12:00:00+02:00",
		"Fri, 02 Jan 2026 12:00:00 +0300": "2026-01-02T12:00:00+03:00",
		"Fri, 02 Jan 2026 12:00:00 GMT":   "2026-01-02T12:00:00Z",
		"1767348000":                      "2026-01-02T12:00:00+02:00",
		"1767348000.505487":               "2026-01-02T12:00:00+02:00",
		"1767348000000":                   "2026-01-02T12:00:00+02:00",
		"1767348000505487":                "2026-01-02T12:00:00.505487+02:00",
		"1767348000505487123":             "2026-01-02T12:00:00.505487123+02:00",
		" 2026-01-02 12:00:00 ":           "2026-01-02T12:00:00+02:00",
	} {
		got, ok := readDate(raw, kyivZone(t))
		if !ok || got.Format(time.RFC3339Nano) != want {
			t.Errorf("readDate(%q) = %s, %v; want %s", raw, got.Format(time.RFC3339Nano), ok, want)
		}
	}
}

func TestWhatIsNoDateIsRefused(t *testing.T) {
	for _, raw := range []string{
		"", "-1", "0", "0000-00-00 00:00:00", "01/02/2026 12:00", "2026-13-02 12:00:00", "2026-02-30 12:00:00",
		"2026-01-02 25:00:00", "2026-01-02T12:00:00+9900", "2026-01-02T12:00:00+0260", "1", "176734800", "17673480001",
		"9999999999999999999", "-176734800", "0000000000", "1111111111", "yesterday", "1.7673e9",
		"Fri, 02 Jan 2026 12:00:00 EST", "1999-01-02 12:00:00", "2026-01-02", "12:00:00",
	} {
		if got, ok := readDate(raw, time.UTC); ok {
			t.Errorf("readDate(%q) = %s, want none", raw, got)
		}
	}
}

func TestAClockChangeIsDecidedTheSameWayEveryTime(t *testing.T) {
	for raw, want := range map[string]string{
		"2026-03-29 02:59:59": "2026-03-29T02:59:59+02:00",
		"2026-03-29 03:00:00": "2026-03-29T04:00:00+03:00", // skipped by the clock
		"2026-03-29 03:30:00": "2026-03-29T04:30:00+03:00",
		"2026-03-29 04:00:00": "2026-03-29T04:00:00+03:00",
		"2026-10-25 02:59:59": "2026-10-25T02:59:59+03:00",
		"2026-10-25 03:00:00": "2026-10-25T03:00:00+03:00", // shown twice: the first pass
		"2026-10-25 03:59:59": "2026-10-25T03:59:59+03:00",
		"2026-10-25 04:00:00": "2026-10-25T04:00:00+02:00",
	} {
		got, ok := readDate(raw, kyivZone(t))
		if !ok || got.Format(time.RFC3339) != want {
			t.Errorf("readDate(%q) in Kyiv = %s, %v; want %s", raw, got.Format(time.RFC3339), ok, want)
		}
	}
}

func TestTheIDTellsTheStartOnlyInItsUsualShape(t *testing.T) {
	for id, want := range map[string]int64{
		"1767348000.1":               1767348000,
		"ua0_-1767348000.12669683":   1767348000,
		"pl5_-1767348000.25187642":   1767348000,
		"1111111111.1111111":         0,
		"1767348000":                 0,
		"17673480001.1":              0,
		"x1767348000.1":              0,
		"ua0_-1767348000.1266.9683":  0,
		"842d921d-0000-4000-8000-00": 0,
	} {
		got, ok := startFromID(id, time.UTC)
		if ok != (want != 0) || ok && got.Unix() != want {
			t.Errorf("startFromID(%q) = %s, %v; want %d", id, got, ok, want)
		}
	}
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"2026-01-02 12:00:00", "2026-01-02T12:00:00+0200", "1767348000505487", "Fri, 02 Jan 2026 12:00:00 GMT", "02.01.2026 12:00", "2026-03-29 03:30:00"} {
		f.Add(s)
	}
	loc := kyivZone(f)
	f.Fuzz(func(t *testing.T, raw string) {
		got, ok := readDate(raw, loc)
		if !ok {
			return
		}
		if !plausible(got) {
			t.Fatalf("readDate(%q) = %s, which is no time of a call", raw, got)
		}
		again, ok := readDate(got.Format("2006-01-02T15:04:05-07:00"), loc)
		if !ok || again.Unix() != got.Unix() {
			t.Fatalf("readDate(%q) = %s, written out and read again it is %s, %v", raw, got, again, ok)
		}
	})
}
