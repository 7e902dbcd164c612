package console

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ringbridge/ringbridge/pkg/event"
	"github.com/ringbridge/ringbridge/pkg/service"
)

// auditLine is a line of the audit log as the API shows it.
type auditLine struct {
	At time.Time `json:"at"`
	event.ConsoleActed
}

// acted takes a line of the audit log into the index.
func (a applying) acted(p *event.ConsoleActed) error {
	details, err := json.Marshal(p.Details)
	if err != nil {
		return err
	}
	return a.exec("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
		a.Seq, a.Time.UnixMilli(), p.Project, p.Person, p.Role, p.Door, p.Action, p.Target, p.Code, string(details))
}

// auditFilter narrows the audit log; before is where the page before ended.
type auditFilter struct {
	project, person string
	before          int64
	limit           int
}

// auditLines are the newest first, and where the next page begins, or 0.
func (i index) auditLines(ctx context.Context, f auditFilter) ([]auditLine, int64, error) {
	db, done := i.Read()
	defer done()
	where, args := []string{"1"}, []any{}
	add := func(condition string, value any) { where, args = append(where, condition), append(args, value) }
	if f.project != "" {
		add("project = ?", f.project)
	}
	if f.person != "" {
		add("person = ?", f.person)
	}
	if f.before > 0 {
		add("seq < ?", f.before)
	}
	rows, err := db.QueryContext(ctx, "SELECT seq, at, project, person, role, door, action, target, code, details FROM audit WHERE "+
		strings.Join(where, " AND ")+" ORDER BY seq DESC LIMIT ?", append(args, f.limit+1)...)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	out, last := []auditLine{}, int64(0)
	for rows.Next() {
		if len(out) == f.limit {
			return out, last, rows.Close()
		}
		var l auditLine
		var at int64
		var details string
		if err := rows.Scan(&last, &at, &l.Project, &l.Person, &l.Role, &l.Door, &l.Action, &l.Target, &l.Code, &details); err != nil {
			return nil, 0, err
		}
		l.At = time.UnixMilli(at).UTC()
		if err := json.Unmarshal([]byte(details), &l.Details); err != nil {
			return nil, 0, err
		}
		out = append(out, l)
	}
	return out, 0, rows.Err()
}

// audit shows what people changed, the newest first.
func (c *console) audit(w http.ResponseWriter, r *http.Request) {
	f, err := readAuditFilter(r)
	if err != nil {
		service.Problem(w, http.StatusBadRequest, "wrong parameter", err.Error())
		return
	}
	if service.Behind(w, r, c.index.View) {
		return
	}
	lines, next, err := c.index.auditLines(r.Context(), f)
	if err != nil {
		c.failed(w, err)
		return
	}
	out := list[auditLine]{Items: lines}
	if next > 0 {
		out.Next = strconv.FormatInt(next, 10)
	}
	service.Answer(w, out)
}

func readAuditFilter(r *http.Request) (f auditFilter, err error) {
	q := r.URL.Query()
	f = auditFilter{project: q.Get("project"), person: q.Get("person")}
	if f.limit, err = readLimit(r); err != nil {
		return f, err
	}
	if raw := q.Get("cursor"); raw != "" {
		if f.before, err = strconv.ParseInt(raw, 10, 64); err != nil || f.before < 1 {
			return f, errCursor
		}
	}
	return f, nil
}
