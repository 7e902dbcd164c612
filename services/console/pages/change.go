package pages

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// This file is how a page changes a project's settings: it reads the block from the
// API, edits what its form is about, and sends it back on top of the revision that the
// reader saw.

// maxForm is more than a project of a thousand employees needs.
const maxForm = 1 << 20

// wrongKey is one mistake of settings, as the API tells it.
type wrongKey struct {
	Key  string `json:"key"`
	What string `json:"what"`
	Want string `json:"want"`
}

// block is a project's settings as the API gives and takes them.
type block map[string]any

// under is a block inside a block, made where it is missing.
func (b block) under(key string) block {
	inner, ok := b[key].(map[string]any)
	if !ok {
		inner = map[string]any{}
		b[key] = inner
	}
	return inner
}

// form reads what was sent, within bounds.
func (v *visit) form() url.Values {
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, maxForm)
	if err := v.r.ParseForm(); err != nil {
		return url.Values{}
	}
	for _, values := range v.r.PostForm {
		for i, value := range values {
			values[i] = strings.TrimSpace(value)
		}
	}
	return v.r.PostForm
}

// change makes a new revision on top of the one that the form was shown with.
func (v *visit) change(edit func(block)) error {
	var b block
	if err := v.get(v.path("settings"), nil, &b); err != nil {
		return err
	}
	edit(b)
	_, err := v.ask(http.MethodPut, v.path("settings"), nil, http.Header{"If-Match": {strconv.Quote(v.r.PostForm.Get("revision"))}}, b, nil)
	return err
}

// wrong is what a form shows when it was not taken.
type wrong struct {
	// Trouble is about the form as a whole.
	Trouble string
	// At holds sentences by key of the settings: employees[2].code.
	At map[string]string
}

// Of is what is wrong with a key, or "".
func (w wrong) Of(key string) string { return w.At[key] }

// wrongOf puts a refusal into words, each next to its field. fields are the keys that
// the form has; what is wrong elsewhere stands above it.
func (v *visit) wrongOf(err error, fields func(key string) bool) (code int, w wrong) {
	no := (*refused)(nil)
	if !errors.As(err, &no) {
		code, w.Trouble = v.why(err)
		return code, w
	}
	switch {
	case no.Status == http.StatusPreconditionFailed:
		w.Trouble = v.T("change.stale")
	case no.Status == http.StatusForbidden:
		w.Trouble = v.T("problem.role", v.T("role.admin"))
	case len(no.Problems) > 0:
		w.At = map[string]string{}
		var elsewhere []string
		for _, p := range no.Problems {
			if fields(p.Key) {
				w.At[p.Key] = v.mistake(p)
			} else {
				elsewhere = append(elsewhere, v.mistake(p)+" ("+p.Key+")")
			}
		}
		w.Trouble = v.T("change.wrong")
		if len(elsewhere) > 0 {
			w.Trouble += " " + strings.Join(elsewhere, "; ")
		}
	default:
		_, w.Trouble = v.why(err)
	}
	return no.Status, w
}

// nearly is what a mistake of settings says of a name that is almost one of ours.
var nearly = regexp.MustCompile(`perhaps "([^"]+)" is meant`)

var indexes = regexp.MustCompile(`\[\d+\]`)

// mistake says what is wrong with a key in the reader's language; where there is no
// sentence of ours, the API's own stands.
func (v *visit) mistake(p wrongKey) string {
	key := indexes.ReplaceAllString(p.Key, "")
	switch {
	case strings.Contains(p.What, "belongs to"):
		return v.T("wrong.taken")
	case strings.Contains(p.What, "the address changed"):
		return v.T("wrong.secret_again")
	case strings.Contains(p.What, "inside this network"), strings.Contains(p.What, "by its IP address"), strings.Contains(p.What, "is not https"):
		return v.T("wrong.inside")
	case strings.HasPrefix(key, "fields."):
		return v.T("wrong.fields")
	case strings.HasPrefix(key, "ringostat.fields."):
		if m := nearly.FindStringSubmatch(p.What); m != nil {
			return v.T("wrong.names.nearly", m[1])
		}
		return v.T("wrong.names")
	}
	own := p.What
	if p.Want != "" {
		own += "; " + p.Want
	}
	return v.Known("wrong."+key, own)
}

// among tells whether a key begins with one of the given.
func among(starts ...string) func(string) bool {
	return func(key string) bool {
		return slices.ContainsFunc(starts, func(s string) bool {
			return key == s || strings.HasPrefix(key, s+".") || strings.HasPrefix(key, s+"[")
		})
	}
}

// renderForm shows a form again. htmx swaps only what came with a good code.
func (v *visit) renderForm(code int, page string, data any) {
	if v.r.Header.Get("HX-Request") != "" {
		code = http.StatusOK
	}
	v.render(code, page, data)
}

// saved leads back to a page, which says that the change is in force.
func (v *visit) saved(page, what string) {
	v.redirect("/console/p/" + v.Project.ID + "/" + page + "?" + url.Values{"saved": {what}}.Encode())
}

// Saved is the sentence about what was changed last, or "".
func (s shown) Saved() string {
	what := s.r.URL.Query().Get("saved")
	if what == "" {
		return ""
	}
	return s.Known("saved."+what, s.T("saved"))
}
