package analytics

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"
)

// Sink writes calls in one form.
type Sink interface {
	Write(Call) error
	// End writes what is left; it does not close what is written to.
	End() error
}

// Form is one in which calls are given away.
type Form struct {
	Name  string // the file's ending: jsonl, csv or parquet
	Media string
	Open  func(io.Writer) Sink
}

var (
	asJSONL   = Form{"jsonl", "application/jsonl", newJSONL}
	asCSV     = Form{"csv", "text/csv; charset=utf-8", newCSV}
	asParquet = Form{"parquet", "application/vnd.apache.parquet", newParquet}
)

// Forms are all of them.
var Forms = []Form{asJSONL, asCSV, asParquet}

type jsonl struct{ out *json.Encoder }

func newJSONL(w io.Writer) Sink {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return jsonl{e}
}

func (j jsonl) Write(c Call) error { return j.out.Encode(c) }
func (jsonl) End() error           { return nil }

// csvSink writes RFC 4180: a header, commas, lines that end in CR LF.
type csvSink struct{ out *csv.Writer }

var csvHeader = []string{
	"id", "started_at", "direction", "outcome", "client", "phone", "employee", "source", "medium", "campaign",
	"waiting_s", "talk_s", "rule", "state", "recording", "talked_next_at", "talked_next_by",
}

func newCSV(w io.Writer) Sink {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(csvHeader) // into a buffer; End says what went wrong
	return csvSink{out}
}

func (s csvSink) Write(c Call) error {
	next := ""
	if c.NextAt != nil {
		next = c.NextAt.Format(time.RFC3339)
	}
	return s.out.Write([]string{
		harmless(c.ID), c.StartedAt.Format(time.RFC3339), c.Direction, c.Outcome, c.Client, harmless(c.Phone), harmless(c.Employee),
		harmless(c.Source), harmless(c.Medium), harmless(c.Campaign), strconv.Itoa(c.Waiting), strconv.Itoa(c.Talk),
		c.Rule, c.State, harmless(c.Recording), next, c.NextBy,
	})
}

func (s csvSink) End() error {
	s.out.Flush()
	return s.out.Error()
}

// formula is what a spreadsheet might calculate instead of showing it. A number in the
// international form begins with a plus too and is harmless.
var (
	formula = regexp.MustCompile(`^[=+\-@\t\r\n]`)
	e164    = regexp.MustCompile(`^\+\d+$`)
)

// harmless puts an apostrophe before a text of strangers that a spreadsheet would take
// for a formula: https://owasp.org/www-community/attacks/CSV_Injection. The other forms
// hold every text as it is.
func harmless(text string) string {
	if formula.MatchString(text) && !e164.MatchString(text) {
		return "'" + text
	}
	return text
}

type parquetSink struct {
	out *parquet.GenericWriter[Call]
	one [1]Call
}

// rowsInAGroup bounds what is held in memory.
const rowsInAGroup = 100_000

func newParquet(w io.Writer) Sink {
	return &parquetSink{out: parquet.NewGenericWriter[Call](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsInAGroup))}
}

func (s *parquetSink) Write(c Call) error {
	s.one[0] = c
	_, err := s.out.Write(s.one[:])
	return err
}

func (s *parquetSink) End() error { return s.out.Close() }
