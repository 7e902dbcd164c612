package pages

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/ringbridge/ringbridge/pkg/service"
)

// visit is one request of somebody who looks at the console.
type visit struct {
	site *site
	w    http.ResponseWriter
	r    *http.Request

	words
	Person  service.Person
	Project service.Revision // of the address; empty on pages about no project
}

func (s *site) visit(w http.ResponseWriter, r *http.Request) *visit {
	return &visit{site: s, w: w, r: r, words: wordsFor(r)}
}

// shown is what a template is given: the visit, the page's own data, and where we are.
type shown struct {
	*visit
	Page string // the template's name, which marks the entry of the menu
	Data any
}

// Path is the address of the page that is looked at. What is shown in answer to a form
// stands at an address that only takes forms; then it is the page above that.
func (s shown) Path() string {
	at := s.r.URL.Path
	for s.r.Method != http.MethodGet && at != "/console/" {
		if _, page := looks().Handler(&http.Request{Method: http.MethodGet, URL: &url.URL{Path: at}}); page != "" {
			break
		}
		if at = path.Dir(at); at == "/console" || at == "/" {
			at = "/console/"
		}
	}
	return at
}

// Here is the whole address, to come back to.
func (s shown) Here() string {
	if s.r.Method != http.MethodGet {
		return s.Path()
	}
	return s.r.URL.RequestURI()
}

// Projects are those that can be chosen.
func (s shown) Projects() []service.Revision {
	var out []service.Revision
	for _, id := range s.site.Projects.IDs() {
		if p, ok := s.site.Projects.Get(id); ok {
			out = append(out, p)
		}
	}
	return out
}

// May tells whether the person has the role.
func (v *visit) May(role service.Role) bool { return v.Person.Role.May(role) }

// show renders templates/NAME.html inside the layout. A request of htmx for a part
// (its target is the id of a {{block}}) is given that block alone.
func (v *visit) show(name string, data any) { v.render(http.StatusOK, name, data) }

func (v *visit) render(code int, name string, data any) {
	part := "layout"
	if target := v.r.Header.Get("HX-Target"); target != "" && v.site.templates[name].Lookup(target) != nil {
		part = target
	}
	v.renderPart(code, name, part, data)
}

func (v *visit) renderPart(code int, name, part string, data any) {
	page, err := v.part(name, part, data)
	if err != nil {
		v.site.Log.Error("a page could not be made", zap.String("page", name), zap.Error(err))
		http.Error(v.w, v.T("problem.internal"), http.StatusInternalServerError)
		return
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Vary", "HX-Target, Accept-Language, Cookie")
	v.w.WriteHeader(code)
	_, _ = v.w.Write(page)
}

// part is a page, or a block of it, as bytes: whole or not at all.
func (v *visit) part(name, part string, data any) ([]byte, error) {
	var page bytes.Buffer
	err := v.site.templates[name].ExecuteTemplate(&page, part, shown{v, name, data})
	return page.Bytes(), err
}

// problem shows what is wrong, in words, and the way out.
func (v *visit) problem(code int, what string) { v.render(code, "problem", what) }

func (v *visit) notFound() { v.problem(http.StatusNotFound, v.T("problem.address")) }

func (v *visit) redirect(to string) { http.Redirect(v.w, v.r, to, http.StatusSeeOther) }

// refused is an answer of the API that is none: RFC 9457.
type refused struct {
	Status int    `json:"status"`
	Title  string `json:"title"`
	Detail string `json:"detail"`
	// Problems are there where settings are wrong.
	Problems []wrongKey `json:"problems"`
}

func (e *refused) Error() string { return e.Title + ": " + e.Detail }

// get asks the API, as the person who looks, and reads the answer into into.
func (v *visit) get(path string, query url.Values, into any) error {
	_, err := v.ask(http.MethodGet, path, query, nil, nil, into)
	return err
}

// do sends something to the API, as the person who looks. body and into may be nil.
func (v *visit) do(method, path string, body, into any) error {
	_, err := v.ask(method, path, nil, nil, body, into)
	return err
}

// ask is one request to the API inside this process. A refusal is a [*refused].
func (v *visit) ask(method, path string, query url.Values, header http.Header, body, into any) (http.Header, error) {
	var content io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", method, path, err)
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(v.r.Context(), method, "/api/v1"+path, content)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	r.URL.RawQuery = query.Encode()
	for name, values := range header {
		r.Header[name] = values
	}
	a := answer{code: http.StatusOK, header: http.Header{}}
	v.site.Guarded.ServeHTTP(&a, r)
	if a.code >= http.StatusBadRequest {
		return a.header, a.refused()
	}
	if into == nil {
		return a.header, nil
	}
	if err := json.Unmarshal(a.body.Bytes(), into); err != nil {
		return a.header, fmt.Errorf("%s %s: %w", method, path, err)
	}
	return a.header, nil
}

// path joins the parts of an API address, each escaped, under the project.
func (v *visit) path(parts ...string) string {
	escaped := slices.Clone(parts)
	for i, p := range parts {
		escaped[i] = url.PathEscape(p)
	}
	return "/projects/" + url.PathEscape(v.Project.ID) + "/" + strings.Join(escaped, "/")
}

// failed shows why the API refused; an error of ours is logged and not shown.
func (v *visit) failed(err error) {
	code, what := v.why(err)
	if code == http.StatusNotFound {
		v.notFound()
		return
	}
	v.problem(code, what)
}

// why puts a refusal into the reader's words, by its title; where there are none the
// API's own stand.
func (v *visit) why(err error) (code int, what string) {
	if no, ok := errors.AsType[*refused](err); ok {
		if no.Status == http.StatusInternalServerError {
			return no.Status, v.T("problem.internal") // the API's words for it are English
		}
		what = v.Known(refusedKey(no.Title), no.Detail)
		if m := progress.FindStringSubmatch(no.Detail); m != nil && what != no.Detail {
			what += " " + v.T("refused.progress", m[1], m[2])
		}
		return no.Status, what
	}
	v.site.Log.Error("a page could not be filled", zap.String("path", v.r.URL.Path), zap.Error(err))
	return http.StatusInternalServerError, v.T("problem.internal")
}

// progress is how far a view has come that is not ready.
var progress = regexp.MustCompile(`\((\d+) of (\d+) events\)`)

var noLetters = regexp.MustCompile(`[^A-Za-z]+`)

// refusedKey is the key of the text of a refusal: refused.wrong_time.
func refusedKey(title string) string {
	return "refused." + strings.Trim(noLetters.ReplaceAllString(title, "_"), "_")
}

// answer keeps what the API answers.
type answer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header         { return a.header }
func (a *answer) WriteHeader(code int)        { a.code = code }
func (a *answer) Write(b []byte) (int, error) { return a.body.Write(b) }

func (a *answer) refused() error {
	no := &refused{Status: a.code, Title: http.StatusText(a.code)}
	_ = json.Unmarshal(a.body.Bytes(), no) // without a body the code says enough
	return no
}

// In tells whether the address belongs to a section of the project.
func (s shown) In(section string) bool {
	at := "/console/p/" + s.Project.ID + "/" + section
	return s.r.URL.Path == at || strings.HasPrefix(s.r.URL.Path, at+"/")
}
