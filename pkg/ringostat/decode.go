package ringostat

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
)

// nestedObject is the object that holds the rest of the parameters in JSON
// hooks (seen).
const nestedObject = "additional_call_data"

// parameter is one value as it arrived, cleaned.
type parameter struct {
	spot
	used  bool   // it became a field of the Report
	name  string // as the sender wrote it, without double curly brackets
	value string
}

// spot is where a parameter is and its folded name: there is one of each.
type spot struct {
	key   string
	place int
}

// bag holds all parameters of a request in the order in which they came.
type bag struct {
	all []parameter
	// index is where in all a parameter is, once there are so many that looking through
	// them takes longer.
	index  map[spot]int
	method string // of a JSON-RPC envelope; some hooks are told apart by it
}

// The places of a request, from the one that is asked first to the last.
const (
	inBody = iota
	inBodyNested
	inQuery
	inQueryNested
	places
)

// Most requests have fewer parameters than usual; an index pays from many on.
const (
	usual = 32
	many  = 64
)

// at is where in all a parameter is, or -1.
func (b *bag) at(s spot) int {
	if b.index != nil {
		if i, ok := b.index[s]; ok {
			return i
		}
		return -1
	}
	for i := range b.all {
		if b.all[i].place == s.place && b.all[i].key == s.key {
			return i
		}
	}
	return -1
}

// put appends a parameter that is not there yet.
func (b *bag) put(p parameter) {
	b.all = append(b.all, p)
	switch {
	case b.index != nil:
		b.index[p.spot] = len(b.all) - 1
	case len(b.all) == many:
		b.index = make(map[spot]int, 2*many)
		for i, p := range b.all {
			b.index[p.spot] = i
		}
	}
}

// add stores a value. Of two parameters with one name the last that has a
// value counts.
func (b *bag) add(place int, name, value string) {
	name = strings.TrimSpace(clean(name))
	if rest, ok := cutNested(name); ok {
		place, name = place+1, rest
	}
	name = unbrace(name)
	if name == "" {
		return
	}
	value = clean(value)
	s := spot{fold(name), place}
	if i := b.at(s); i < 0 {
		b.put(parameter{spot: s, name: name, value: value})
	} else if hasSource(value) {
		b.all[i].name, b.all[i].value = name, value
	}
}

// cutNested recognises both ways of writing a nested name: dotted, as JSON is
// flattened here, and with brackets, as forms do it.
func cutNested(name string) (rest string, ok bool) {
	if rest, ok := strings.CutPrefix(name, nestedObject+"."); ok {
		return rest, true
	}
	if rest, ok := strings.CutPrefix(name, nestedObject+"["); ok && strings.HasSuffix(rest, "]") {
		return strings.TrimSuffix(rest, "]"), true
	}
	return "", false
}

// empty says that the request holds nothing at all.
func (b *bag) empty() bool { return len(b.all) == 0 }

// form is how nearly all requests are sent.
const form = "application/x-www-form-urlencoded"

// decode collects the parameters of the address and of the body in an empty bag. A
// body that cannot be read is reported beside what the address holds: a GET may carry
// everything there and a body of its own.
func (b *bag) decode(r Request) error {
	b.addForm(inQuery, strings.TrimPrefix(r.Query, "?"))
	body := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(r.Body), []byte("\xef\xbb\xbf")))
	if len(body) == 0 {
		return nil
	}
	mediaType, attributes := form, map[string]string(nil)
	if r.ContentType != form {
		var err error
		if mediaType, attributes, err = mime.ParseMediaType(r.ContentType); err != nil {
			mediaType = ""
		}
	}
	switch {
	case body[0] == '{' || body[0] == '[':
		return b.addJSON(inBody, body)
	case mediaType == "multipart/form-data":
		return b.addMultipart(body, attributes["boundary"])
	case strings.HasSuffix(mediaType, "json") && !bytes.Contains(body, []byte("=")):
		return unreadable(notJSON)
	}
	b.addForm(inBody, string(body))
	return nil
}

// addForm reads a query or a form. It is more patient than net/url, which
// drops a parameter with a bare percent sign in it.
func (b *bag) addForm(place int, text string) {
	for more := true; more; {
		var pair string
		pair, text, more = strings.Cut(text, "&")
		name, value, _ := strings.Cut(pair, "=")
		name, value = tolerantUnescape(name), tolerantUnescape(value)
		if fold(name) == nestedObject && strings.HasPrefix(strings.TrimSpace(value), "{") {
			var nested bag
			if nested.addJSON(inBody, []byte(value)) == nil {
				for _, p := range nested.all {
					if p.place == inBody {
						b.add(place+1, p.name, p.value)
					}
				}
				continue
			}
		}
		b.add(place, name, value)
	}
}

func (b *bag) addMultipart(body []byte, boundary string) error {
	parts := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		var value []byte
		if err == nil {
			value, err = io.ReadAll(part)
		}
		if err != nil {
			return unreadable(brokenMultipart)
		}
		b.add(inBody, part.FormName(), string(value))
	}
}
