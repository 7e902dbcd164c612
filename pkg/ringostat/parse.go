package ringostat

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
)

// maxCallID is far longer than any id seen; ids become parts of keys.
const maxCallID = 200

// Parse reads one request. The error is an *Unreadable; the Report then holds
// what could be read all the same, for people to look at, and must not be acted
// on. Parse returns the same for the same arguments, for ever.
//
// A report of a call that is over needs a status or talk seconds, and must name
// the client's parameter, even if that is empty because the number is hidden;
// without them it would be guessed who called and what came of it. Everything
// else may be missing.
func Parse(r Request, o Options) (Report, error) { return Parser(o)(r) }

// Parser is Parse for many requests with the same options.
func Parser(o Options) func(Request) (Report, error) {
	if o.Location == nil {
		o.Location = time.UTC
	}
	d := standard
	if len(o.Fields) > 0 {
		d = newDictionary(o.Fields)
	}
	return func(r Request) (Report, error) { return parse(r, o, d) }
}

func parse(r Request, o Options, d *dictionary) (Report, error) {
	reading := readers.Get().(*reader)
	defer reading.put()
	bodyErr := reading.bag.decode(r)
	reading.sort(d)
	report, err := reading.report(o)
	if err != nil && bodyErr != nil {
		return report, bodyErr
	}
	return report, err
}

func (r *reader) report(o Options) (Report, error) {
	out := Report{CallID: r.text(pCallID)}
	given := r.event()
	call, _ := byLetters(kinds, r.first(pDirection, isKind))
	status, statusKnown, statusSent := r.status()
	talk, talkKnown := r.times(&out)
	out.StartedAt = r.started(out.CallID, o.Location)

	out.InsertionType = r.label(pInsertionType)
	callback := call.callback || strings.EqualFold(out.InsertionType, "callback") || r.isCallback()
	reported := r.ends(o)
	s := reported.sidesOf(call, callback, given)
	out.Direction, out.Callback, out.Transit = s.direction, callback, call.transit
	out.Client, out.ClientRaw, out.ClientName, out.Line = s.client.number, s.client.raw, s.client.name, s.line

	out.Event = given
	if given == "" {
		out.Event = r.eventOf(s.direction, status, statusSent, talkKnown)
	}
	out.Status = status.name
	out.Final = out.Event.after() && !status.unfinished
	if outcomeSaid := statusSent || talkKnown; out.Final && outcomeSaid {
		out.Outcome, out.StatusUnknown = status.outcome, !statusKnown
		if out.StatusUnknown {
			out.Outcome = Missed
			if talk > 0 {
				out.Outcome = Answered
			}
		}
	}
	if !talkKnown && out.Outcome == Answered && out.Duration > out.Waiting {
		out.Talk = out.Duration - out.Waiting
	}
	r.answerer(&out, s.answerer)
	r.recording(&out)
	r.visit(&out)
	out.Extra = r.extra(o.Fields)
	return out, r.check(out, callback, statusSent || talkKnown)
}

// status prefers one that is in the table over one that is not.
func (r *reader) status() (d disposition, known, sent bool) {
	raw := r.first(pStatus, func(s string) bool {
		_, ok := readStatus(s)
		return ok
	})
	if raw == "" {
		raw = r.text(pStatus)
	}
	if raw == "" {
		return disposition{}, false, false
	}
	d, known = readStatus(raw)
	return d, known, true
}

// times reads the spans; the whole is waiting and talk together (seen).
func (r *reader) times(out *Report) (talk time.Duration, talkKnown bool) {
	out.Talk, talkKnown = r.span(pTalk, time.Second)
	waiting, waitingKnown := r.span(pWaiting, time.Second)
	out.Waiting = waiting
	whole, ok := r.span(pDuration, time.Second)
	if !ok {
		whole, ok = r.span(pDurationMS, time.Millisecond)
	}
	if !ok && talkKnown && waitingKnown {
		whole = out.Talk + out.Waiting
	}
	out.Duration = whole
	return out.Talk, talkKnown
}

func (r *reader) started(id string, loc *time.Location) time.Time {
	t := r.date(loc)
	if t.IsZero() && !r.sent(pDate, pTimestamp) {
		t, _ = startFromID(id, loc)
	}
	return t
}

// isCallback reads the flag some projects send in place of the insertion type.
func (r *reader) isCallback() bool {
	value := r.first(pCallback, func(s string) bool {
		_, ok := toggle(s)
		return ok || strings.EqualFold(s, "callback")
	})
	on, _ := toggle(value)
	return on || strings.EqualFold(value, "callback")
}

// eventOf tells what a hook without ?event= is for, from what it carries.
func (r *reader) eventOf(direction Direction, status disposition, statusSent, talkKnown bool) Event {
	before, after := Before, After
	if direction == Outbound {
		before, after = BeforeOutgoing, AfterOutgoing
	}
	switch {
	case status.unfinished:
		return before
	case statusSent, talkKnown:
		return after
	case r.text(pCategoryMark) != "" || r.text(pEmployeeMark) != "":
		return Rating
	case r.text(pStepForward) != "":
		return Forward
	case r.sent(pDuration, pDurationMS, pRecording, pRecordingWAV):
		return after
	case r.text(pConnected) != "" || r.text(pEmployeeCode) != "" || r.text(pEmployeeName) != "":
		return Answer
	}
	return before
}

func (r *reader) answerer(out *Report, l Line) {
	l.Code = r.text(pEmployeeCode)
	if extension := r.text(pExtension); extension != "" {
		l.Extension = extension
	}
	if name := r.label(pEmployeeName); name != "" {
		l.Name = name
	}
	l.Email = r.label(pEmployeeEmail)
	out.Department = r.label(pDepartment)
	l.Department = out.Department
	out.Answerer = l
}

func (r *reader) recording(out *Report) {
	out.Recording = r.link(pRecording)
	out.RecordingWAV = r.link(pRecordingWAV)
	if out.Recording == "" {
		out.Recording = out.RecordingWAV
	}
	if path, _, _ := strings.Cut(out.Recording, "?"); out.RecordingWAV == "" && strings.HasSuffix(strings.ToLower(path), ".wav") {
		out.RecordingWAV = out.Recording
	}
	out.HasRecording = r.flag(pHasRecording)
}

// visit reads what Ringostat knows about the client's visit to the website.
func (r *reader) visit(out *Report) {
	out.UTM = UTM{
		Source:   unescapeText(r.first(pSource, hasSource)),
		Medium:   r.label(pMedium),
		Campaign: r.label(pCampaign),
		Content:  r.label(pContent),
		Term:     r.label(pTerm),
	}
	out.ClientID = r.text(pClientID)
	out.Landing = r.text(pLanding)
	out.Referrer = r.text(pReferrer)
	out.VisitorIP = r.text(pVisitorIP)
	out.UserAgent = r.text(pUserAgent)
	out.CallCard = r.link(pCallCard)
	out.Scheme = r.label(pScheme)
	out.Pool = r.label(pPool)
	out.Rating = CallRating{
		CategoryMark:   r.text(pCategoryMark),
		CategoryNumber: r.text(pCategoryNumber),
		EmployeeMark:   r.text(pEmployeeMark),
	}
}

func (r *reader) check(out Report, callback, outcomeSaid bool) error {
	clientParams := []param{pCaller, pClient}
	if out.Direction == Outbound {
		clientParams = []param{pCallee, pClient}
	}
	if callback || out.Direction == Internal {
		clientParams = []param{pCaller, pCallee, pClient}
	}
	switch {
	case r.bag.empty():
		return unreadable(noParameters)
	case out.CallID == "":
		return r.missing(noCallID, pCallID)
	case len(out.CallID) > maxCallID:
		return unreadable(longCallID, maxCallID)
	case out.Final && !outcomeSaid:
		return r.missing(noStatus, pStatus, pTalk)
	case out.Final && !r.sent(clientParams...):
		return r.missing(noClient, clientParams...)
	}
	return nil
}

// missing names what was looked for and what is there instead, never a value.
func (r *reader) missing(what flaw, list ...param) *Unreadable {
	var looked []string
	for _, p := range list {
		for _, name := range r.dictionary.names[p] {
			if !slices.Contains(looked, name) {
				looked = append(looked, name)
			}
		}
	}
	return unreadable(what, strings.Join(looked, ", "), r.sentNames())
}

// plainName is a name that can be shown: a body that is no form at all would
// turn up here as a name, with whatever is in it.
var plainName = regexp.MustCompile(`^[\p{L}_][\p{L}\d_. -]{0,39}$`)

var manyDigits = regexp.MustCompile(`\d{5}`)

// maxShownNames keeps a message readable.
const maxShownNames = 30

func (r *reader) sentNames() string {
	var list []string
	others := 0
	for _, p := range r.bag.all {
		if plainName.MatchString(p.name) && !manyDigits.MatchString(p.name) {
			list = append(list, p.name)
		} else {
			others++
		}
	}
	slices.Sort(list)
	list = slices.Compact(list)
	if len(list) > maxShownNames {
		others += len(list) - maxShownNames
		list = list[:maxShownNames]
	}
	if others > 0 {
		list = append(list, fmt.Sprintf("%d more", others))
	}
	return strings.Join(list, ", ")
}
