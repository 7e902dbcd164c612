package pages

import (
	"net/http"
	"net/url"
	"slices"
)

// export gives the calls of the period as a file, as the API makes it.
func (v *visit) export() {
	name := v.r.PathValue("name")
	if !slices.Contains([]string{"calls.jsonl", "calls.csv", "calls.parquet"}, name) {
		v.notFound()
		return
	}
	p, wrong := v.periodOf(v.r.URL.Query())
	if wrong != "" {
		v.problem(http.StatusBadRequest, v.T(wrong))
		return
	}
	if err := v.pass(v.path("analytics", "export"+name[len("calls"):]), p.query()); err != nil {
		v.failed(err)
	}
}

// pass hands an answer of the API on while it is being made. Its error is a refusal, and
// nothing is answered then.
func (v *visit) pass(path string, query url.Values) error {
	r, err := http.NewRequestWithContext(v.r.Context(), http.MethodGet, "/api/v1"+path, nil)
	if err != nil {
		return err
	}
	r.URL.RawQuery = query.Encode()
	through := &passing{answer: answer{code: http.StatusOK, header: http.Header{}}, to: v.w}
	v.site.Guarded.ServeHTTP(through, r)
	return through.refused()
}

// passing lets an answer through, and keeps a refusal.
type passing struct {
	answer
	to    http.ResponseWriter
	begun bool
}

func (p *passing) Write(b []byte) (int, error) {
	if p.code >= http.StatusBadRequest {
		return p.answer.Write(b)
	}
	if !p.begun {
		for _, name := range []string{"Content-Type", "Content-Disposition"} {
			p.to.Header()[name] = p.header[name]
		}
		p.begun = true
	}
	return p.to.Write(b)
}

func (p *passing) refused() error {
	if p.code < http.StatusBadRequest {
		if !p.begun {
			_, err := p.Write(nil) // a file without a call is one too
			return err
		}
		return nil
	}
	return p.answer.refused()
}
