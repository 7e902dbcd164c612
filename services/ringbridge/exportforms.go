package main

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"time"

	"github.com/parquet-go/parquet-go"

	"github.com/ringbridge/ringbridge/services/analytics"
)

type jsonl struct{ *json.Encoder }

func newJSONL(w io.Writer) sink {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	return jsonl{e}
}

func (j jsonl) write(c analytics.Call) error { return j.Encode(c) }
func (jsonl) close() error                   { return nil }

// csvSink writes RFC 4180: a header, commas, lines that end in CR LF.
type csvSink struct{ *csv.Writer }

var csvHeader = []string{
	"id", "started_at", "direction", "outcome", "client", "phone", "employee", "source", "medium", "campaign",
	"waiting_s", "talk_s", "rule", "state", "recording", "talked_next_at", "talked_next_by",
}

func newCSV(w io.Writer) sink {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	_ = out.Write(csvHeader) // into a buffer; close says what went wrong
	return csvSink{out}
}

func (s csvSink) write(c analytics.Call) error {
	next := ""
	if c.NextAt != nil {
		next = c.NextAt.Format(time.RFC3339)
	}
	return s.Write([]string{
		harmless(c.ID), c.StartedAt.Format(time.RFC3339), c.Direction, c.Outcome, c.Client, harmless(c.Phone), harmless(c.Employee),
		harmless(c.Source), harmless(c.Medium), harmless(c.Campaign), strconv.Itoa(c.Waiting), strconv.Itoa(c.Talk),
		c.Rule, c.State, harmless(c.Recording), next, c.NextBy,
	})
}

func (s csvSink) close() error {
	s.Flush()
	return s.Error()
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

// parquetCall is a call as a row of Parquet; times are milliseconds in UTC.
type parquetCall struct {
	ID        string     `parquet:"id"`
	StartedAt time.Time  `parquet:"started_at,timestamp(millisecond)"`
	Direction string     `parquet:"direction,dict"`
	Outcome   string     `parquet:"outcome,dict"`
	Client    string     `parquet:"client,dict"`
	Phone     string     `parquet:"phone"`
	Employee  string     `parquet:"employee,dict"`
	Source    string     `parquet:"source,dict"`
	Medium    string     `parquet:"medium,dict"`
	Campaign  string     `parquet:"campaign,dict"`
	Waiting   int        `parquet:"waiting_s"`
	Talk      int        `parquet:"talk_s"`
	Rule      string     `parquet:"rule,dict"`
	State     string     `parquet:"state,dict"`
	Recording string     `parquet:"recording"`
	NextAt    *time.Time `parquet:"talked_next_at,optional,timestamp(millisecond)"`
	NextBy    string     `parquet:"talked_next_by,dict"`
}

type parquetSink struct {
	*parquet.GenericWriter[parquetCall]
	one [1]parquetCall
}

// rowsInAGroup bounds what is held in memory.
const rowsInAGroup = 100_000

func newParquet(w io.Writer) sink {
	return &parquetSink{GenericWriter: parquet.NewGenericWriter[parquetCall](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowsInAGroup))}
}

func (s *parquetSink) write(c analytics.Call) error {
	s.one[0] = parquetCall(c)
	_, err := s.Write(s.one[:])
	return err
}

func (s *parquetSink) close() error { return s.Close() }
