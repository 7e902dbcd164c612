package event

import (
	"slices"
	"time"
	"unicode/utf8"
)

// This file compares facts field by field: it is asked at every step of every call, and
// comparing by reflection or by JSON took more time than all thinking together. A field
// that is added and forgotten here fails the tests beside it.

// Same says whether two folded calls tell the same story: whether, once stored, they
// would read alike.
func Same(a, b Call) bool { return same(&a, &b) }

func same(a, b *Call) bool {
	return sameText(a.ID, b.ID) && sameText(a.Leg, b.Leg) && sameText(a.Event, b.Event) && a.Final == b.Final &&
		sameText(a.Direction, b.Direction) && sameText(a.Outcome, b.Outcome) && sameText(a.Status, b.Status) &&
		a.StatusUnknown == b.StatusUnknown && a.Callback == b.Callback && a.Transit == b.Transit &&
		sameText(a.Client, b.Client) && sameText(a.ClientName, b.ClientName) && sameText(a.Line, b.Line) &&
		sameEmployee(a.Employee, b.Employee) && sameText(a.AnsweredOn, b.AnsweredOn) && sameText(a.Extension, b.Extension) &&
		sameStoredTime(a.StartedAt, b.StartedAt) && a.Duration == b.Duration && a.Waiting == b.Waiting && a.Talk == b.Talk &&
		sameText(a.Recording, b.Recording) && sameText(a.Card, b.Card) && sameText(a.Rating, b.Rating) &&
		sameTraffic(&a.Traffic, &b.Traffic) && sameText(a.Department, b.Department) && sameText(a.Scheme, b.Scheme) &&
		sameText(a.Pool, b.Pool) && sameText(a.InsertionType, b.InsertionType) && sameExtra(a.Extra, b.Extra) &&
		slices.EqualFunc(a.Legs, b.Legs, sameLeg)
}

func sameLeg(a, b Leg) bool {
	return sameText(a.ID, b.ID) && sameEmployee(a.Employee, b.Employee) && sameText(a.AnsweredOn, b.AnsweredOn) &&
		sameText(a.Extension, b.Extension) && sameStoredTime(a.StartedAt, b.StartedAt) && a.Talk == b.Talk && sameText(a.Recording, b.Recording)
}

func sameEmployee(a, b *Employee) bool {
	if a == nil || b == nil {
		return a == b
	}
	return sameText(a.Name, b.Name) && sameText(a.Code, b.Code) && a.BitrixUser == b.BitrixUser
}

func sameTraffic(a, b *Traffic) bool {
	return *a == *b || sameText(a.Source, b.Source) && sameText(a.Medium, b.Medium) && sameText(a.Campaign, b.Campaign) &&
		sameText(a.Content, b.Content) && sameText(a.Term, b.Term) && sameText(a.ClientID, b.ClientID) &&
		sameText(a.Landing, b.Landing) && sameText(a.Referrer, b.Referrer) && sameText(a.VisitorIP, b.VisitorIP) &&
		sameText(a.UserAgent, b.UserAgent)
}

// sameStoredTime also compares the zones: a stored time keeps the one it came with.
func sameStoredTime(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	_, zoneA := a.Zone()
	_, zoneB := b.Zone()
	return a.Equal(*b) && zoneA == zoneB
}

func sameExtra(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if other, ok := b[k]; !ok || !sameText(v, other) {
			return false
		}
	}
	return true
}

// sameText takes broken UTF-8 for what it is stored as: each wrong byte becomes the
// replacement character.
func sameText[S ~string](a, b S) bool {
	if a == b {
		return true
	}
	if utf8.ValidString(string(a)) && utf8.ValidString(string(b)) {
		return false
	}
	return string([]rune(string(a))) == string([]rune(string(b)))
}

// SameEntity says whether two entities should look alike. Nil is only like nil.
func SameEntity(a, b *Entity) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Title == b.Title && a.Name == b.Name && a.Phone == b.Phone && a.Responsible == b.Responsible &&
		a.Source == b.Source && a.SourceNote == b.SourceNote && a.Stage == b.Stage && a.Category == b.Category &&
		sameLink(a.Contact, b.Contact) && sameLink(a.Company, b.Company) && a.Comments == b.Comments &&
		a.Traffic == b.Traffic && sameCustom(a.Custom, b.Custom)
}

// SameTask says whether two tasks should look alike. Nil is only like nil; of a time the
// instant counts.
func SameTask(a, b *Task) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Title == b.Title && a.Description == b.Description && a.Responsible == b.Responsible &&
		sameInstant(a.Deadline, b.Deadline) && a.Closed == b.Closed && sameInstant(a.ClosedAt, b.ClosedAt) &&
		a.ClosedBy == b.ClosedBy && (a.Links == nil) == (b.Links == nil) && slices.Equal(a.Links, b.Links)
}

func sameLink(a, b *Link) bool {
	if a == nil || b == nil {
		return a == b
	}
	return *a == *b
}

func sameInstant(a, b *time.Time) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Equal(*b)
}

func sameCustom(a, b map[string]string) bool {
	if (a == nil) != (b == nil) || len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if other, ok := b[k]; !ok || v != other {
			return false
		}
	}
	return true
}
