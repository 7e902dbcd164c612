package pkg_test

import (
	"strings"
	"testing"
)

// TestTheRuleOfTheHouseBites breaks the rule in every way it knows; each must be said.
func TestTheRuleOfTheHouseBites(t *testing.T) {
	const ours = `"github.com/ringbridge/ringbridge/`
	for _, c := range []struct{ name, source, want string }{
		{"services/billing/billing.go", ``, "not in the map"},
		{"pkg/event/event.go", `import _ ` + ours + `pkg/bus"`, "pkg/event may not import pkg/bus"},
		{"pkg/rules/table.go", `import _ ` + ours + `pkg/phone"`, "pkg/rules may not import pkg/phone"},
		{"pkg/bus/work.go", `import _ ` + ours + `services/writer"`, "pkg/bus may not import services/writer"},
		{"services/planner/plan.go", `import _ ` + ours + `services/resolver"`, "imports the service services/resolver"},
		{"services/planner/plan_test.go", `import _ ` + ours + `services/writer"`, "imports the service services/writer"},
		{"services/resolver/resolver.go", `import _ ` + ours + `pkg/bitrix"`, "may not import pkg/bitrix"},
		{"services/ingress/ingress.go", `import _ ` + ours + `pkg/ringostat"`, "may not import pkg/ringostat"},
		{"services/writer/writer.go", `import _ ` + ours + `pkg/bitrix/bitrixtest"`, "may not import pkg/bitrix/bitrixtest"},
		{"services/writer/writer.go", `import _ "github.com/nats-io/nats.go/jetstream"`, "may be known to pkg/bus pkg/bus/bustest only"},
		{"services/planner/planner.go", `import _ "github.com/ThreeDotsLabs/watermill/message"`, "may be known to pkg/bus only"},
		{"services/writer/journal.go", `import _ "modernc.org/sqlite"`, "may be known to pkg/view services/replay only"},
		{"pkg/event/payload.go", `import _ "github.com/santhosh-tekuri/jsonschema/v6"`, "may be known to tests only"},
		{"pkg/event/payload.go", `import _ "example.com/left/pad"`, "has no row"},
		{"pkg/rules/rule.go", `import _ "time"`, "knows no time"},
		{"services/planner/plan.go", `import _ "net/http"`, "may not import net/http"},
		{"pkg/event/event.go", `import _ "math/rand/v2"`, "may not import math/rand/v2"},
		{"pkg/ringostat/date.go", `import "time"; var today = time.Now()`, "may not look at the clock (time.Now)"},
		{"services/planner/plan.go", `import "time"; func f() { <-time.After(1) }`, "may not look at the clock (time.After)"},
		{"services/resolver/choose.go", `const method = "crm.item.list"`, `"crm.item" is said here`},
		{"services/writer/job.go", `const method = "tasks.task.add"`, `"tasks.task" is said here`},
		{"services/classifier/read.go", `var key = "additional_call_data"`, `"additional_call_data" is said here`},
	} {
		got := strings.Join(breachesOf(t, c.name, c.source), "\n")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s with %s: got %q, want it to say %q", c.name, c.source, got, c.want)
		}
	}
}

// TestTheRuleOfTheHouseAllowsWhatItSays is the other half: what the map allows is not
// complained of.
func TestTheRuleOfTheHouseAllowsWhatItSays(t *testing.T) {
	const ours = `"github.com/ringbridge/ringbridge/`
	for _, c := range []struct{ name, source string }{
		{"pkg/bus/work.go", `import _ ` + ours + `pkg/event"; import _ "github.com/nats-io/nats.go"`},
		{"pkg/bus/bus_test.go", `import _ ` + ours + `pkg/bus/bustest"; import _ "pgregory.net/rapid"`},
		{"services/ringbridge/main.go", `import _ ` + ours + `services/writer"; import _ "github.com/alecthomas/kong"`},
		{"services/writer/writer_test.go", `import _ ` + ours + `pkg/bitrix/bitrixtest"; const method = "tasks.task.add"`},
		{"pkg/bitrix/bitrixtest/tasks.go", `const method = "tasks.task.add"`},
		{"pkg/ringostat/date_test.go", `import "time"; var today = time.Now()`},
		{"pkg/rules/rule.go", `// a comment may say crm.item and tasks.task`},
	} {
		if got := breachesOf(t, c.name, c.source); len(got) > 0 {
			t.Errorf("%s with %s: got %q, want no complaint", c.name, c.source, got)
		}
	}
}

func breachesOf(t *testing.T, name, source string) []string {
	t.Helper()
	f, err := readFile(name, name, "package x; "+source)
	if err != nil {
		t.Fatalf("parse %q: %v", source, err)
	}
	return breaches([]file{f})
}
