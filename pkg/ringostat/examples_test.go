package ringostat_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/phone"
	"github.com/ringbridge/ringbridge/pkg/ringostat"
)

var update = flag.Bool("update", false, "write what Parse returns into testdata")

// employees are the people of every example.
var employees = []ringostat.Employee{
	{Code: "1111", Extension: "101", SIP: []string{"shop_olena"}, Numbers: []phone.Number{"+380671112233"}, Name: "Olena Koval", Email: "olena@example.com"},
	{Code: "1112", Extension: "102", SIP: []string{"shop_petro"}, Numbers: []phone.Number{"+380672223344"}, Name: "Petro Bondar", Email: "petro@example.com"},
}

func kyiv(t testing.TB) *time.Location {
	t.Helper()
	loc, err := time.LoadLocation("Europe/Kyiv")
	if err != nil {
		t.Fatal(err)
	}
	return loc
}

// TestExamplesAreReadAsWritten runs testdata/*.txt: comments, the request line,
// headers (Fields holds renamed parameters, ours=theirs), a blank line, the
// body, "----", the report. \xNN in a body is that byte.
func TestExamplesAreReadAsWritten(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d examples, %v; want at least 40", len(files), err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			question, want, found := strings.Cut(string(raw), "\n----\n")
			if !found {
				t.Fatalf("%s has no ---- line", file)
			}
			request, options := readExample(t, question)
			got := describe(ringostat.Parse(request, options))
			if *update {
				if err := os.WriteFile(file, []byte(question+"\n----\n"+got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", file, diff)
			}
		})
	}
}

func readExample(t testing.TB, text string) (ringostat.Request, ringostat.Options) {
	t.Helper()
	for strings.HasPrefix(text, "#") {
		_, text, _ = strings.Cut(text, "\n")
	}
	head, body, _ := strings.Cut(text, "\n\n")
	lines := strings.Split(head, "\n")
	method, address, _ := strings.Cut(lines[0], " ")
	_, query, _ := strings.Cut(address, "?")
	request := ringostat.Request{Method: method, Query: query, Body: []byte(unescapeBytes(body))}
	options := ringostat.Options{Country: "UA", Location: kyiv(t), Employees: employees}
	for _, line := range lines[1:] {
		name, value, _ := strings.Cut(line, ": ")
		switch name {
		case "Content-Type":
			request.ContentType = value
		case "Fields":
			options.Fields = map[string]string{}
			for pair := range strings.SplitSeq(value, ", ") {
				ours, theirs, _ := strings.Cut(pair, "=")
				options.Fields[ours] = theirs
			}
		default:
			t.Fatalf("unknown header %q", line)
		}
	}
	return request, options
}

func unescapeBytes(s string) string {
	var b strings.Builder
	for {
		before, after, found := strings.Cut(s, `\x`)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		var c byte
		if _, err := fmt.Sscanf(after[:2], "%02x", &c); err != nil {
			return b.String() + `\x` + after
		}
		b.WriteByte(c)
		s = after[2:]
	}
}

// describe writes a report as "Field: value" lines without empty fields.
func describe(report ringostat.Report, err error) string {
	var b strings.Builder
	if err != nil {
		u, ok := err.(*ringostat.Unreadable)
		if !ok {
			return fmt.Sprintf("error of another type: %v\n", err)
		}
		fmt.Fprintf(&b, "unreadable: %s\nremedy: %s\n", u.Reason, u.Remedy)
	}
	describeFields(&b, "", reflect.ValueOf(report))
	return b.String()
}

func describeFields(b *strings.Builder, prefix string, v reflect.Value) {
	for i := range v.NumField() {
		name, field := prefix+v.Type().Field(i).Name, v.Field(i)
		if field.IsZero() {
			continue
		}
		switch value := field.Interface().(type) {
		case time.Time:
			fmt.Fprintf(b, "%s: %s\n", name, value.Format(time.RFC3339Nano))
		case *bool:
			fmt.Fprintf(b, "%s: %v\n", name, *value)
		case map[string]string:
			for _, key := range slices.Sorted(maps.Keys(value)) {
				fmt.Fprintf(b, "%s.%s: %s\n", name, key, value[key])
			}
		default:
			if field.Kind() == reflect.Struct {
				describeFields(b, name+".", field)
				continue
			}
			fmt.Fprintf(b, "%s: %v\n", name, value)
		}
	}
}
