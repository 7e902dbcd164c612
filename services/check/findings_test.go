package check_test

import (
	"strings"
	"testing"

	"github.com/ringbridge/ringbridge/pkg/bitrix/bitrixtest"
	"github.com/ringbridge/ringbridge/pkg/settings"
	"github.com/ringbridge/ringbridge/services/check"
)

type situation struct {
	name    string
	options bitrixtest.Options
	arrange func(*setting)
	id      string
	level   check.Level
	mention string // in title, detail or remedy
	absent  string // a finding that must not be there
}

// situations are one for each finding of a portal that answers.
var situations = []situation{
	{name: "a portal that answers has the right address", id: "address", level: check.OK, mention: "shop.bitrix24.ua"},
	{name: "the owner is named", id: "owner", level: check.OK, mention: "Iryna Bondar (user 1)"},
	{name: "an owner who was dismissed blocks", id: "owner.inactive", level: check.Blocks, mention: "new inbound webhook", absent: "admin",
		arrange: func(s *setting) {
			s.answer("profile", []any{})
		}},
	{name: "an administrator is told", id: "admin", level: check.OK, absent: "admin.missing"},
	{name: "an owner without administrator's rights is advised what is hidden", id: "admin.missing", level: check.Advice, mention: "tasks of colleagues", absent: "admin",
		arrange: func(s *setting) {
			s.portal.AddUser(bitrixtest.User{ID: 1, Name: "Iryna", LastName: "Bondar", Active: true})
		}},
	{name: "the permissions are listed", id: "scopes", level: check.OK, mention: "crm, task, user, telephony"},
	{name: "a missing crm permission blocks", id: "scope.crm", level: check.Blocks, absent: "unread",
		arrange: func(s *setting) { s.portal.SetScopes("task", "user") }},
	{name: "a missing task permission blocks", id: "scope.task", level: check.Blocks, absent: "unread",
		arrange: func(s *setting) { s.portal.SetScopes("crm", "user") }},
	{name: "a missing user permission is advice", id: "scope.user", level: check.Advice, mention: "dismissed", absent: "senior.unknown",
		arrange: func(s *setting) { s.portal.SetScopes("crm", "task") }},
	{name: "a smaller user permission is enough", id: "scopes", level: check.OK, mention: "user_basic", absent: "scope.user",
		arrange: func(s *setting) { s.portal.SetScopes("crm", "task", "user_basic") }},
	{name: "a missing telephony permission is advice", id: "scope.telephony", level: check.Advice, absent: "calls.refused",
		arrange: func(s *setting) { s.portal.SetScopes("crm", "task", "user") }},

	{name: "a portal with leads makes leads", id: "mode", level: check.OK, mention: "becomes: lead."},
	{name: "a portal without leads makes contact and deal", id: "mode.without_leads", level: check.OK, mention: "contact + deal",
		options: bitrixtest.Options{WithoutLeads: true}},
	{name: "asking for leads on a portal without them is a contradiction", id: "mode.contradiction", level: check.Advice, mention: "contact + deal",
		options: bitrixtest.Options{WithoutLeads: true}, arrange: func(s *setting) { s.project.Scenarios.NewClient = "lead" }},
	{name: "wanting deals on a portal without leads is no contradiction", id: "mode.without_leads", level: check.OK, mention: "becomes: deal.", absent: "mode.contradiction",
		options: bitrixtest.Options{WithoutLeads: true}, arrange: func(s *setting) { s.project.Scenarios.NewClient = "deal" }},
	{name: "a deal alone is not found by its client's number", id: "mode.deal_alone", level: check.Advice, mention: "contact+deal",
		arrange: func(s *setting) { s.project.Scenarios.NewClient = "deal" }},
	{name: "a deal with a contact is", id: "mode", level: check.OK, absent: "mode.deal_alone",
		arrange: func(s *setting) { s.project.Scenarios.NewClient = "contact+deal" }},
	{name: "wanting nothing is said so", id: "mode", level: check.OK, mention: "becomes: nothing", absent: "source",
		arrange: func(s *setting) { s.project.Scenarios.NewClient = "nothing" }},

	{name: "the senior manager is named", id: "senior", level: check.OK, mention: "Iryna Bondar"},
	{name: "an unknown senior manager blocks", id: "senior.unknown", level: check.Blocks, mention: "user 99",
		arrange: func(s *setting) { s.project.Senior = 99 }},
	{name: "a dismissed senior manager blocks", id: "senior.inactive", level: check.Blocks, mention: "Petro Hnatiuk",
		arrange: func(s *setting) { s.project.Senior = 8; s.portal.SetActive(8, false) }},
	{name: "the employees are named", id: "employees", level: check.OK, mention: "Olena Koval (7), Petro Hnatiuk (8)"},
	{name: "no employees at all is advice", id: "employee.none", level: check.Advice,
		arrange: func(s *setting) { s.project.Employees = nil }},
	{name: "an unknown user is advice with the one that has the same address", id: "employee.unknown", level: check.Advice, mention: "perhaps Olena Koval (7) is meant",
		arrange: func(s *setting) { s.project.Employees[0].BitrixUser = 77; s.project.Employees[0].Name = "Lena" }},
	{name: "the user of the same extension is suggested", id: "employee.unknown", level: check.Advice, mention: "perhaps Petro Hnatiuk (8) is meant",
		arrange: func(s *setting) { s.project.Employees[1].BitrixUser = 77; s.project.Employees[1].Name = "Petia" }},
	{name: "a name is compared in either order", id: "employee.unknown", level: check.Advice, mention: "perhaps Petro Hnatiuk (8) is meant",
		arrange: func(s *setting) {
			s.project.Employees[1] = settings.Employee{Name: "hnatiuk petro", Code: "5", BitrixUser: 77}
		}},
	{name: "a dismissed employee is advice", id: "employee.inactive", level: check.Advice, mention: "Olena Koval (7)", absent: "employee.unknown",
		arrange: func(s *setting) { s.portal.SetActive(7, false) }},
	{name: "an employee without a line is advice", id: "employee.no_line", level: check.Advice, mention: "Olena Koval",
		arrange: func(s *setting) { s.project.Employees[0].Code = "" }},
	{name: "two employees with one user are mentioned", id: "employee.shared", level: check.OK, mention: "Olena Koval (7) = Petro Hnatiuk (7)",
		arrange: func(s *setting) { s.project.Employees[1].BitrixUser = 7 }},
	{name: "nobody left to take missed calls is advice", id: "missed.nobody", level: check.Advice,
		arrange: func(s *setting) {
			s.project.Scenarios.MissedNewClient = "distribute"
			s.project.Employees[1].TakesMissed = false
			s.portal.SetActive(7, false)
		}},

	{name: "an unknown pipeline blocks with the list", id: "category.unknown", level: check.Blocks, mention: "0 (General)", absent: "stage.unknown",
		arrange: func(s *setting) {
			s.project.Scenarios.NewClient = "deal"
			s.project.Scenarios.Pipeline.Category = 9
		}},
	{name: "a pipeline is not used for leads", id: "category.unused", level: check.Advice,
		arrange: func(s *setting) { s.project.Scenarios.Pipeline.Category = 9 }},
	{name: "the stage of leads is found", id: "stage", level: check.OK, mention: "NEW (Unassigned) of leads"},
	{name: "the stage of a pipeline is found without its prefix", id: "stage", level: check.OK, mention: "«Wholesale»", absent: "stage.unknown",
		arrange: func(s *setting) {
			s.project.Scenarios.NewClient = "contact+deal"
			s.project.Scenarios.Pipeline.Category = s.portal.AddFunnel("Wholesale")
		}},
	{name: "a stage that is not there blocks with the nearest", id: "stage.unknown", level: check.Blocks, mention: "Perhaps IN_PROCESS is meant.",
		arrange: func(s *setting) { s.project.Scenarios.Pipeline.Stage = "IN_PROGES" }},
	{name: "a stage of another pipeline blocks", id: "stage.unknown", level: check.Blocks, mention: "PREPARATION",
		arrange: func(s *setting) {
			s.project.Scenarios.NewClient = "deal"
			s.project.Scenarios.Pipeline.Stage = "C5:NEW"
		}},
	{name: "a final stage blocks", id: "stage.closed", level: check.Blocks, mention: "JUNK (Junk lead)",
		arrange: func(s *setting) { s.project.Scenarios.Pipeline.Stage = "JUNK" }},
	{name: "a deal's stage is not used for leads", id: "stage.deal", level: check.Advice,
		arrange: func(s *setting) { s.project.Scenarios.Pipeline.Stage = "C5:NEW" }},
	{name: "the source is found", id: "source", level: check.OK, mention: "CALL (Call)"},
	{name: "a source named as people see it blocks with its id", id: "source.unknown", level: check.Blocks, mention: "Perhaps CALLBACK is meant.",
		arrange: func(s *setting) {
			s.portal.AddStatus(bitrixtest.Status{EntityID: "SOURCE", StatusID: "CALLBACK", Name: "Зворотний дзвінок", Sort: 90})
			s.project.Scenarios.Pipeline.Source = "зворотний дзвінок"
		}},

	{name: "the fields that are filled are listed", id: "fields", level: check.OK, mention: "lead.UF_CRM_GOOGLE_CID ← client_id"},
	{name: "fields of what calls don't make are mentioned", id: "fields.unused", level: check.OK, mention: "fields.deal",
		arrange: func(s *setting) { s.project.Fields["deal"] = map[string]string{"UF_CRM_X": "client_id"} }},
	{name: "a field that is not there blocks with the nearest", id: "field.unknown", level: check.Blocks, mention: "perhaps UF_CRM_GOOGLE_CID is meant",
		arrange: func(s *setting) { s.project.Fields["lead"] = map[string]string{"UF_CRM_GOGLE_CID": "client_id"} }},
	{name: "a standard field is found by its classic name", id: "fields", level: check.OK, mention: "lead.SOURCE_DESCRIPTION", absent: "field.unknown",
		arrange: func(s *setting) { s.project.Fields["lead"] = map[string]string{"SOURCE_DESCRIPTION": "landing"} }},
	{name: "a stage is found by its classic name", id: "field.unsure", level: check.Advice, mention: "lead.STATUS_ID", absent: "field.unknown",
		arrange: func(s *setting) { s.project.Fields["lead"] = map[string]string{"STATUS_ID": "my_stage"} }},
	{name: "a field that only the portal fills blocks", id: "field.read_only", level: check.Blocks, mention: "lead.DATE_CREATE",
		arrange: func(s *setting) { s.project.Fields["lead"] = map[string]string{"DATE_CREATE": "date"} }},
	{name: "a field with several values blocks", id: "field.multiple", level: check.Blocks, mention: "lead.UF_CRM_TAGS",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "TAGS", Multiple: true})
			s.project.Fields["lead"]["UF_CRM_TAGS"] = "landing"
		}},
	{name: "a field of another type blocks", id: "field.type", level: check.Blocks, mention: "lead.UF_CRM_CID ← client_id (integer)",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "CID", Type: "integer"})
			s.project.Fields["lead"]["UF_CRM_CID"] = "client_id"
		}},
	{name: "a number goes into a number", id: "fields", level: check.OK, mention: "lead.UF_CRM_TALK ← talk (integer)", absent: "field.type",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "TALK", Type: "integer"})
			s.project.Fields["lead"]["UF_CRM_TALK"] = "talk"
		}},
	{name: "a list filled from a parameter of one's own is advice", id: "field.unsure", level: check.Advice, mention: "(enumeration)",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "BRANCH", Type: "enumeration"})
			s.project.Fields["lead"]["UF_CRM_BRANCH"] = "branch_office"
		}},
	{name: "a misspelt parameter is advice", id: "field.parameter", level: check.Advice, mention: "perhaps client_id is meant",
		arrange: func(s *setting) { s.project.Fields["lead"]["UF_CRM_GOOGLE_CID"] = "clent_id" }},
	{name: "without mandatory fields nothing stands in the way", id: "mandatory", level: check.OK},
	{name: "a mandatory field that nobody fills blocks with its title", id: "mandatory.field", level: check.Blocks, mention: "lead.UF_CRM_BUDGET «Budget»", absent: "mandatory",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "BUDGET", Label: "Budget", Mandatory: true})
		}},
	{name: "a mandatory field of what calls don't make is no obstacle", id: "mandatory", level: check.OK, absent: "mandatory.field",
		arrange: func(s *setting) {
			s.portal.AddUserField("deal", bitrixtest.UserField{Name: "BUDGET", Mandatory: true})
		}},
	{name: "a mandatory field of the contact blocks where contacts are made", id: "mandatory.field", level: check.Blocks, mention: "contact.UF_CRM_BUDGET",
		options: bitrixtest.Options{WithoutLeads: true},
		arrange: func(s *setting) {
			s.portal.AddUserField("contact", bitrixtest.UserField{Name: "BUDGET", Mandatory: true})
		}},
	{name: "a mandatory field that some calls fill is advice", id: "mandatory.sometimes", level: check.Advice, mention: "← client_id", absent: "mandatory.field",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "GOOGLE_CID", Mandatory: true})
		}},
	{name: "a mandatory field that every call fills is no obstacle", id: "mandatory", level: check.OK, absent: "mandatory.sometimes",
		arrange: func(s *setting) {
			s.portal.AddUserField("lead", bitrixtest.UserField{Name: "CALL", Mandatory: true})
			s.project.Fields["lead"]["UF_CRM_CALL"] = "call_id"
		}},
	{name: "a mandatory field of tasks blocks", id: "mandatory.task", level: check.Blocks, mention: "«Branch»",
		arrange: func(s *setting) {
			s.portal.AddUserField("task", bitrixtest.UserField{Name: "BRANCH", Label: "Branch", Mandatory: true})
		}},

	{name: "a webhook that may write calls is told", id: "calls", level: check.OK, options: bitrixtest.Options{TelephonyForWebhooks: true}},
	{name: "a webhook that may not write calls is advice", id: "calls.refused", level: check.Advice},
	{name: "a search for tasks that works is told", id: "task_search", level: check.OK, arrange: withTask},
	{name: "a search for tasks that is ignored is told", id: "task_search.ignored", level: check.OK, arrange: withTask,
		options: bitrixtest.Options{XMLIDFilterIgnored: true}},
	{name: "the pace is told with the plans", id: "pace", level: check.OK, mention: "At most 2 requests a second, 50 at once"},
	{name: "a pace above every plan is advice", id: "pace.high", level: check.Advice, absent: "pace",
		arrange: func(s *setting) { s.project.Bitrix24.Pace.PerSecond = 20 }},
	{name: "a portal of one's own has no pace", id: "pace", level: check.OK, absent: "pace.high",
		arrange: func(s *setting) {
			s.at("https://crm.example.com/rest/1/" + canary + "/")
			s.project.Bitrix24.Pace.PerSecond = 20
		}},
	{name: "an owner that can't be read blocks", id: "unread", level: check.Blocks, mention: "the webhook's owner", absent: "admin",
		arrange: func(s *setting) { s.answer("profile", "nobody") }},
	{name: "fields that can't be read block", id: "unread", level: check.Blocks, mention: "fields of deals", absent: "mandatory",
		options: bitrixtest.Options{WithoutLeads: true},
		arrange: func(s *setting) { s.answer("fields_deal", "none") }},
	{name: "what could not be read blocks and is named", id: "unread", level: check.Blocks, mention: "sources", absent: "source",
		arrange: func(s *setting) {
			s.portal.Inject(bitrixtest.Fault{Method: "crm.status.list", Times: -1, Do: bitrixtest.Refuse(403, "ACCESS_DENIED", "Access denied.")})
		}},
	{name: "what could not be read and is not needed is advice", id: "unread.optional", level: check.Advice, mention: "the search for tasks",
		arrange: func(s *setting) {
			s.portal.Inject(bitrixtest.Fault{Method: "tasks.task.list", Times: -1, Do: bitrixtest.OperationTimeLimit})
		}},
}

func withTask(s *setting) {
	s.t.Helper()
	s.addTask("Call the client")
}

func TestEachSituationHasItsFinding(t *testing.T) {
	for _, c := range situations {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := healthy(t, c.options)
			if c.arrange != nil {
				c.arrange(s)
			}
			r := s.examine(s.client())
			f, ok := find(r, c.id)
			if !ok {
				t.Fatalf("findings %q, want %s among them", ids(r), c.id)
			}
			if f.Level != c.level {
				t.Errorf("%s is %q, want %q", c.id, f.Level, c.level)
			}
			if all := f.Title + " | " + f.Detail + " | " + f.Remedy; !strings.Contains(all, c.mention) {
				t.Errorf("%s says %q, want %q in it", c.id, all, c.mention)
			}
			if got, want := r.Blocked(), c.level == check.Blocks; got != want {
				t.Errorf("Blocked() is %v, want %v; findings %q", got, want, ids(r))
			}
			if f, ok := find(r, c.absent); ok {
				t.Errorf("findings hold %s %q, which must not be there", c.absent, f.Title)
			}
		})
	}
}

func TestEveryFindingHasASituationThatMakesIt(t *testing.T) {
	made := map[string]bool{"address.moved": true, "stopped": true} // tests of their own
	for _, s := range situations {
		made[s.id] = true
	}
	for _, o := range outages {
		made[o.id] = true
	}
	for id := range check.Levels {
		if !made[id] {
			t.Errorf("no test makes %s", id)
		}
	}
}
