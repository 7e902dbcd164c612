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
	name  string // as the sender wrote it, without double curly brackets
	value string
	used  bool // it became a field of the Report
}

// layer is one place where parameters can be; by folded name.
type layer map[string]*parameter

// bag holds all parameters of a request, from the place that is asked first to
// the last: body, body's nested object, address, address's nested object.
type bag struct {
	layers [4]layer
	method string // of a JSON-RPC envelope; some hooks are told apart by it
}

const (
	inBody = iota
	inBodyNested
	inQuery
	inQueryNested
)

// usual is how many parameters a place mostly holds.
var usual = [4]int{inBody: 24, inBodyNested: 8, inQuery: 1, inQueryNested: 1}

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
	if b.layers[place] == nil {
		b.layers[place] = make(layer, usual[place])
	}
	value = clean(value)
	key := fold(name)
	if old := b.layers[place][key]; old != nil && !hasSource(value) {
		return
	}
	b.layers[place][key] = &parameter{name: name, value: value}
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
func (b *bag) empty() bool {
	for _, l := range b.layers {
		if len(l) > 0 {
			return false
		}
	}
	return true
}

// decode collects the parameters of the address and of the body. A body that
// cannot be read is reported beside what the address holds: a GET may carry
// everything there and a body of its own.
func decode(r Request) (*bag, error) {
	b := &bag{}
	b.addForm(inQuery, strings.TrimPrefix(r.Query, "?"))
	body := bytes.TrimSpace(bytes.TrimPrefix(bytes.TrimSpace(r.Body), []byte("\xef\xbb\xbf")))
	if len(body) == 0 {
		return b, nil
	}
	mediaType, attributes, err := mime.ParseMediaType(r.ContentType)
	if err != nil {
		mediaType = ""
	}
	switch {
	case body[0] == '{' || body[0] == '[':
		return b, b.addJSON(inBody, body)
	case mediaType == "multipart/form-data":
		return b, b.addMultipart(body, attributes["boundary"])
	case strings.HasSuffix(mediaType, "json") && !bytes.Contains(body, []byte("=")):
		return b, unreadable(notJSON)
	}
	b.addForm(inBody, string(body))
	return b, nil
}

// addForm reads a query or a form. It is more patient than net/url, which
// drops a parameter with a bare percent sign in it.
func (b *bag) addForm(place int, form string) {
	for pair := range strings.SplitSeq(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, value = tolerantUnescape(name), tolerantUnescape(value)
		if fold(name) == nestedObject && strings.HasPrefix(strings.TrimSpace(value), "{") {
			var nested bag
			if nested.addJSON(inBody, []byte(value)) == nil {
				for _, p := range nested.layers[inBody] {
					b.add(place+1, p.name, p.value)
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
