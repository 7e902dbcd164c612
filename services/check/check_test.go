package check_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ringbridge/ringbridge/pkg/bitrix"
	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/check"
)

func quiet() *log.Logger { return log.New(io.Discard, "", 0) }

// addTask makes a task as another program would, over the webhook.
func (s *setting) addTask(title string) {
	s.t.Helper()
	if _, err := s.client().Batch(context.Background(), []bitrix.Command{bitrix.AddTask(bitrix.TaskFields{Title: title, ResponsibleID: 1}).As("task")}, false); err != nil {
		s.t.Fatal(err)
	}
}

// broken is a portal where much is wrong at once, as on a first try.
func broken(t *testing.T) *setting {
	s := healthy(t, bitrixtest.Options{WithoutLeads: true, XMLIDFilterIgnored: true})
	s.addTask("Call the client")
	s.portal.AddUser(bitrixtest.User{ID: 1, Name: "Iryna", LastName: "Bondar", Active: true})
	s.portal.AddFunnel("Wholesale")
	s.portal.AddUserField("deal", bitrixtest.UserField{Name: "BUDGET", Label: "Budget", Mandatory: true})
	s.portal.AddUserField("deal", bitrixtest.UserField{Name: "LANDING_PAGE"})
	s.portal.AddUserField("task", bitrixtest.UserField{Name: "BRANCH", Label: "Branch", Mandatory: true})
	s.portal.SetActive(8, false)
	s.portal.SetScopes("crm", "task", "user")
	s.project.Scenarios.NewClient = "lead"
	s.project.Scenarios.MissedNewClient = "distribute"
	s.project.Scenarios.Pipeline = settings.Pipeline{Stage: "WON", Source: "CALLS"}
	s.project.Senior = 5
	s.project.Employees[0].BitrixUser = 70
	s.project.Employees = append(s.project.Employees, settings.Employee{Name: "Taras", BitrixUser: 70})
	s.project.Fields = map[string]map[string]string{
		"deal": {"UF_CRM_LANDING": "landing"}, "lead": {"UF_CRM_GOOGLE_CID": "client_id"},
	}
	s.project.Bitrix24.Pace = settings.Pace{PerSecond: 10, Burst: 500}
	return s
}

func TestTheTextsReadAsTheyShould(t *testing.T) {
	for name, make := range map[string]func(*testing.T) *setting{
		"healthy": func(t *testing.T) *setting {
			s := healthy(t, bitrixtest.Options{TelephonyForWebhooks: true})
			s.addTask("Call the client")
			return s
		},
		"broken": broken,
	} {
		s := make(t)
		for _, lang := range []string{"uk", "ru", "en"} {
			r := check.Run(context.Background(), s.client(), s.project, lang)
			var b bytes.Buffer
			r.Text(&b)
			golden(t, name+"."+lang+".txt", b.String())
		}
	}
}

func TestAHealthyPortalHasNothingToMend(t *testing.T) {
	s := healthy(t, bitrixtest.Options{TelephonyForWebhooks: true})
	for _, f := range s.examine(s.client()).Findings {
		if f.Level != check.OK {
			t.Errorf("%s is %s: %s", f.ID, f.Level, f.Title)
		}
	}
}

func TestASmallPortalIsAskedTwice(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	check.Run(context.Background(), s.client(), s.project, "en")
	if got := len(s.portal.Requests()); got != 2 {
		t.Errorf("%d requests, want 2: %v", got, s.portal.Requests())
	}
}

func TestEmployeesAreReadToTheLastPage(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	for i := range 170 {
		s.portal.AddUser(bitrixtest.User{ID: 100 + i, Name: "Worker", LastName: fmt.Sprint(i), Active: true})
	}
	s.project.Senior = 269
	s.portal.SetScopes("crm", "task", "user")
	r := check.Run(context.Background(), s.client(), s.project, "en")
	if f, ok := find(r, "senior"); !ok || !strings.Contains(f.Title, "Worker 169") {
		t.Errorf("findings %q with %+v, want the senior manager from the last page", ids(r), f)
	}
	if got := len(s.portal.Requests()); got != 2 {
		t.Errorf("%d requests, want 2: %v", got, s.portal.Requests())
	}
}

func TestHalfAListOfEmployeesCallsNobodyUnknown(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	for i := range 60 {
		s.portal.AddUser(bitrixtest.User{ID: 100 + i, Name: "Worker", Active: true})
	}
	s.project.Senior = 159
	s.portal.Inject(bitrixtest.Fault{Method: "user.get", Skip: 1, Do: bitrixtest.OperationTimeLimit})
	r := check.Run(context.Background(), s.client(), s.project, "en")
	if f, ok := find(r, "senior.unknown"); ok {
		t.Errorf("%q, although half of the employees could not be read", f.Title)
	}
	if f, ok := find(r, "unread"); !ok || !strings.Contains(f.Title, "employees") {
		t.Errorf("findings %q with %+v, want unread about employees", ids(r), f)
	}
}

func TestNothingCanBeSeenWithoutEmployeesInTheAnswer(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	s.answer("users", []any{})
	r := s.examine(s.client())
	if _, ok := find(r, "senior.unknown"); ok {
		t.Errorf("findings %q, want no word about the senior manager", ids(r))
	}
	if !r.Blocked() {
		t.Errorf("findings %q, want that to block", ids(r))
	}
}

func TestTheLanguageIsTheProjectsUnlessAskedOtherwise(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	for _, c := range []struct{ locale, lang, want string }{
		{"uk", "", "Портал shop.bitrix24.ua відповідає"},
		{"ru", "", "Портал shop.bitrix24.ua отвечает"},
		{"uk", "en", "The portal shop.bitrix24.ua answers"},
		{"ru", "xx", "Портал shop.bitrix24.ua отвечает"},
		{"", "", "The portal shop.bitrix24.ua answers"},
	} {
		s.project.Locale = c.locale
		r := check.Run(context.Background(), s.client(), s.project, c.lang)
		if r.Findings[0].Title != c.want {
			t.Errorf("locale %q, asked for %q: %q, want %q", c.locale, c.lang, r.Findings[0].Title, c.want)
		}
	}
}

// A hostile portal may put anything into its names.
func TestNamesFromThePortalCanNotActOnTheTerminal(t *testing.T) {
	s := healthy(t, bitrixtest.Options{})
	s.portal.AddUser(bitrixtest.User{ID: 1, Name: "\x1b]0;gotcha\x07Iryna\r\n✗ {host}", LastName: canary + "\u202eratS", Active: true, Admin: true})
	r := check.Run(context.Background(), s.client(), s.project, "en")
	f, _ := find(r, "owner")
	if want := "The webhook belongs to ]0;gotchaIryna ✗ {host} ***ratS (user 1)"; f.Title != want {
		t.Errorf("title %q, want %q", f.Title, want)
	}
}

func TestAPortalThatRepeatsTheAddressDoesNotRevealIt(t *testing.T) {
	for _, status := range []int{200, 400, 403, 404, 500} {
		s := healthy(t, bitrixtest.Options{})
		s.fail = say(status, `{"error":"`+canary+`","error_description":"no such path /rest/1/`+canary+`/batch"}`)
		if r := s.examine(s.client()); !r.Blocked() {
			t.Errorf("status %d: findings %q, want one that blocks", status, ids(r))
		}
	}
}

func TestTheReportIsJSONInSnakeCase(t *testing.T) {
	data, err := json.Marshal(check.Report{Project: "shop", Findings: []check.Finding{{ID: "scope.crm", Level: check.Blocks, Title: "a", Detail: "b", Remedy: "c"}}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"project":"shop","findings":[{"id":"scope.crm","level":"blocks","title":"a","detail":"b","remedy":"c"}]}`
	if string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
}

func TestAFileGetsNoColours(t *testing.T) {
	f, err := os.Create(t.TempDir() + "/report.txt")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s := healthy(t, bitrixtest.Options{})
	r := check.Run(context.Background(), s.client(), s.project, "en")
	r.Text(f)
	data, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	r.Text(&b)
	if diff := cmp.Diff(b.String(), string(data)); diff != "" {
		t.Errorf("a file differs from a buffer (-buffer +file):\n%s", diff)
	}
	if strings.Contains(string(data), "\x1b") {
		t.Errorf("a file holds colours: %q", data)
	}
}
