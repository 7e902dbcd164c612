package bitrixtest

import (
	"io"
	"mime"
	"mime/multipart"
	"net"
	"net/http"
	"strings"
)

// maxBody is the largest body read; what PHP itself would take is not documented.
const maxBody = 64 << 20

// reply is an answer not yet written.
type reply struct {
	status int
	// header names and values in turn.
	header []string
	body   []byte
	kind   string
}

func jsonReply(status int, a *array) reply {
	return reply{status: status, body: encode(a), kind: "application/json; charset=utf-8"}
}

func refusalReply(r *refusal) reply { return jsonReply(r.status, r.body()) }

func htmlReply(status int, title string) reply {
	page := "<html>\r\n<head><title>" + title + "</title></head>\r\n<body>\r\n<center><h1>" + title +
		"</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
	return reply{status: status, body: []byte(page), kind: "text/html; charset=UTF-8"}
}

func (a reply) write(w http.ResponseWriter) {
	for i := 0; i < len(a.header); i += 2 {
		w.Header().Set(a.header[i], a.header[i+1])
	}
	if a.kind != "" {
		w.Header().Set("Content-Type", a.kind)
	}
	w.WriteHeader(a.status)
	w.Write(a.body)
}

// incoming is a request taken apart.
type incoming struct {
	user, secret string
	method       string
	params       *array
	source       string
	https        bool
}

// ServeHTTP judges a request in the order a live portal does: https, the bucket, whether the method
// exists, the credentials, the scope, whether webhooks may, the operating time, then the method.
// Injected faults come first or last, depending on what they break.
func (p *Portal) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	in := read(r)
	p.lock()
	log, hit := p.arrive(in)
	p.mu.Unlock()

	if hit == nil {
		answer := session{p: p, in: in, log: log}.serve()
		p.answered(log, answer)
		answer.write(w)
		return
	}
	hit.apply(p, w, r, in, log)
}

// answered notes the outcome before a byte of it is written, so that whoever has the answer can
// rely on finding it in Requests.
func (p *Portal) answered(log *Request, a reply) {
	p.mu.Lock()
	defer p.mu.Unlock()
	log.Status = a.status
	if a.kind == "application/json; charset=utf-8" {
		if v, err := fromJSON(a.body); err == nil {
			log.Error = text(asArray(v).get("error"))
		}
	}
}

// read takes a request apart: address, then query and body merged, as PHP merges them.
func read(r *http.Request) incoming {
	in := incoming{params: parseQuery(r.URL.RawQuery), https: r.TLS != nil}
	in.source, _, _ = net.SplitHostPort(r.RemoteAddr)
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) > 0 && parts[0] == "rest" {
		parts = parts[1:]
	}
	if len(parts) >= 1 {
		in.method = strings.ToLower(parts[len(parts)-1])
		in.method = strings.TrimSuffix(strings.TrimSuffix(in.method, ".json"), ".xml")
	}
	if len(parts) == 3 {
		in.user, in.secret = parts[0], parts[1]
	}
	if body := readBody(r); body != nil {
		for _, k := range body.keys {
			in.params.set(k, body.vals[k])
		}
	}
	return in
}

func readBody(r *http.Request) *array {
	kind, args, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	limited := io.LimitReader(r.Body, maxBody)
	if kind == "multipart/form-data" {
		return readMultipart(multipart.NewReader(limited, args["boundary"]))
	}
	data, _ := io.ReadAll(limited)
	switch kind {
	case "application/json":
		// A body that is not an object leaves the call without parameters; the method then says
		// which one it misses.
		v, err := fromJSON(data)
		if err != nil {
			return nil
		}
		return asArray(v)
	case "application/x-www-form-urlencoded":
		return parseQuery(string(data))
	}
	return nil
}

func readMultipart(parts *multipart.Reader) *array {
	a := newArray()
	for {
		part, err := parts.NextPart()
		if err != nil {
			return a
		}
		if part.FileName() != "" {
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return a
		}
		a.register(part.FormName(), string(value))
	}
}
