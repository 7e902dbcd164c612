package settings

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// env is an environment that holds exactly these variables.
func env(variables map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := variables[name]
		return value, ok
	}
}

const key32Bytes = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="

var fullEnv = map[string]string{
	"RINGBRIDGE_KEY":   key32Bytes,
	"RINGBRIDGE_TOKEN": "console-token-1",
	"SHOP_HOOK":        "shop-token-1",
	"SHOP_RINGOSTAT":   "ringostat-key-1",
	"SHOP_BITRIX":      "https://example.bitrix24.ua/rest/1/portal-secret-1/",
}

func parse(t *testing.T, source string, variables map[string]string) Config {
	t.Helper()
	config, err := Parse("ringbridge.yaml", []byte(source), env(variables), testRules)
	if err != nil {
		t.Fatalf("%v\nfor\n%s", err, source)
	}
	return config
}

func fullFile(t *testing.T) string {
	t.Helper()
	source, err := os.ReadFile("testdata/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return string(source)
}

// minimal is the least that a project needs.
const minimal = `
projects:
  - id: shop
    ringostat: {token: shop-token-1}
    bitrix24: {webhook: "https://example.bitrix24.ua/rest/1/portal-secret-1/"}
    senior: 1
`

func TestEveryKeyOfTheFileReachesItsPlace(t *testing.T) {
	want := Config{
		Listen: "127.0.0.1:9090", PublicURL: "https://calls.example.com", Data: "/var/lib/ringbridge",
		Log:       Log{Level: "debug", Format: "console"},
		SecretKey: key32Bytes,
		NATS:      &NATS{URL: "nats://n1:4222,nats://n2:4222,nats://n3:4222", Credentials: "./ringbridge.creds", Replicas: 5},
		Console:   Console{Token: "console-token-1"},
		Projects: []Project{{
			ID: "shop", Name: "Shop", Locale: "ru", TimeZone: "Europe/Warsaw", Country: "PL",
			Ringostat: Ringostat{
				Tokens: []Secret{"shop-token-1", "shop-token-2"},
				Fields: map[string]string{"call_id": "my_call", "status": "result"},
				APIKey: "ringostat-key-1", APIURL: "https://ringostat.example.com",
			},
			Bitrix24: Bitrix24{
				Webhook: "https://example.bitrix24.ua/rest/1/portal-secret-1/",
				Pace:    Pace{PerSecond: 5, Burst: 250}, RequestTimeout: Duration(90 * time.Second),
				MaxExecution: Duration(70 * time.Second), Settle: Duration(1500 * time.Millisecond), AllowInsecure: true,
			},
			Employees: []Employee{
				{
					Name: "Olena Koval", Email: "olena@example.com", Code: "101", Extension: "0101", SIP: []string{"shop_olena"},
					Numbers: []string{"+380671112233", "22 123 45 67"}, BitrixUser: 7, TakesMissed: false,
				},
				{Code: "102", BitrixUser: 8, TakesMissed: true},
			},
			Senior: 1,
			Scenarios: Scenarios{
				NewClient: "contact+deal", MissedNewClient: "distribute", ReviewDue: Duration(4 * time.Hour),
				CallbackDue: Duration(90 * time.Minute), PhoneMatch: "exact", Compensate: "tag",
				Pipeline: Pipeline{Category: 3, Stage: "C3:NEW", Source: "CALLBACK"}, Off: []string{"outbound/contact"},
			},
			Fields: map[string]map[string]string{
				"lead": {"UF_CRM_GOOGLE_CID": "client_id", "UF_CRM_LANDING": "landing"},
				"deal": {"UF_CRM_GOOGLE_CID": "my_own_parameter"},
			},
		}},
	}
	got := parse(t, fullFile(t), fullEnv)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("testdata/full.yaml: -want +got\n%s", diff)
	}
}

// A key that the structs have and nothing reads would be accepted and ignored.
func TestTheFullFileUsesEveryKeyThereIs(t *testing.T) {
	source := fullFile(t)
	for _, structure := range []reflect.Type{
		reflect.TypeFor[Config](), reflect.TypeFor[Log](), reflect.TypeFor[NATS](), reflect.TypeFor[Console](), reflect.TypeFor[Project](),
		reflect.TypeFor[Ringostat](), reflect.TypeFor[Bitrix24](), reflect.TypeFor[Pace](), reflect.TypeFor[Employee](), reflect.TypeFor[Scenarios](), reflect.TypeFor[Pipeline](),
	} {
		for _, field := range reflect.VisibleFields(structure) {
			key, _, _ := strings.Cut(field.Tag.Get("json"), ",")
			inParts := structure == reflect.TypeFor[Bitrix24]() && (key == "portal" || key == "user" || key == "secret")
			if !inParts && !regexp.MustCompile(`(^|[\s{])`+key+`:`).MatchString(source) {
				t.Errorf("%v: key %q is not in testdata/full.yaml", structure, key)
			}
		}
	}
}

func TestAnEmptyFileMeansTheDefaults(t *testing.T) {
	for _, source := range []string{"", "\n", "# nothing\n", "---\n", "---\n# nothing\n...\n", "projects:\n", "projects: []\n", "nats:\nlog: {}\n", "\ufeff", "%YAML 1.2\n---\n"} {
		if diff := cmp.Diff(Default(), parse(t, source, nil)); diff != "" {
			t.Errorf("%q: -want +got\n%s", source, diff)
		}
	}
}

func TestTheDefaultsAreThePromisedOnes(t *testing.T) {
	config := parse(t, minimal, nil)
	want := Project{
		ID: "shop", Name: "shop", Locale: "uk", TimeZone: "Europe/Kyiv", Country: "UA",
		Ringostat: Ringostat{Tokens: []Secret{"shop-token-1"}, APIURL: "https://api.ringostat.net"},
		Bitrix24: Bitrix24{
			Webhook: "https://example.bitrix24.ua/rest/1/portal-secret-1/",
			Pace:    Pace{PerSecond: 2, Burst: 50}, RequestTimeout: Duration(75 * time.Second), MaxExecution: Duration(time.Minute), Settle: Duration(5 * time.Second),
		},
		Employees: []Employee{},
		Senior:    1,
		Scenarios: Scenarios{
			MissedNewClient: "senior", ReviewDue: Duration(3 * time.Hour), CallbackDue: Duration(time.Hour),
			PhoneMatch: "all_spellings", Compensate: "close", Pipeline: Pipeline{Stage: "NEW", Source: "CALL"},
		},
	}
	if diff := cmp.Diff([]Project{want}, config.Projects); diff != "" {
		t.Errorf("projects: -want +got\n%s", diff)
	}
	wantConfig := Config{Listen: "127.0.0.1:8080", PublicURL: "http://127.0.0.1:8080", Data: "./data", Log: Log{Level: "info", Format: "json"}, Projects: []Project{}}
	if diff := cmp.Diff(wantConfig, Default()); diff != "" {
		t.Errorf("Default(): -want +got\n%s", diff)
	}
}

func TestThePublicAddressFollowsTheListeningOne(t *testing.T) {
	for source, want := range map[string]string{
		"listen: 127.0.0.1:9000":                   "http://127.0.0.1:9000",
		"listen: calls.example.com:80":             "http://calls.example.com:80",
		`listen: ":8080"`:                          "http://127.0.0.1:8080",
		"listen: 0.0.0.0:8080":                     "http://127.0.0.1:8080",
		`listen: "[::1]:8080"`:                     "http://[::1]:8080",
		"public_url: https://calls.example.com/x/": "https://calls.example.com/x",
	} {
		if got := parse(t, source, nil).PublicURL; got != want {
			t.Errorf("%s: public url %q, want %q", source, got, want)
		}
	}
}

func TestATextMayBeWrittenAsANumber(t *testing.T) {
	source := minimal + "    employees: [{code: 007, extension: 1_0, sip: [15], bitrix_user: 7}, {code: true, bitrix_user: \"8\"}]\n"
	got := parse(t, source, nil).Projects[0].Employees
	want := []Employee{{Code: "007", Extension: "1_0", SIP: []string{"15"}, BitrixUser: 7, TakesMissed: true}, {Code: "true", BitrixUser: 8, TakesMissed: true}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want +got\n%s", source, diff)
	}
}

func TestAnchorsAndMergedBlocksAreRead(t *testing.T) {
	source := `
projects:
  - &shop
    id: shop
    ringostat: {token: shop-token-1}
    bitrix24: &portal {webhook: "https://example.bitrix24.ua/rest/1/portal-secret-1/", settle: 1s}
    senior: 1
  - <<: *shop
    id: shop-2
    bitrix24: {<<: [*portal, {settle: 9s}], max_execution: 30s}
`
	projects := parse(t, source, nil).Projects
	second := projects[1]
	if second.ID != "shop-2" || second.Senior != 1 || second.Bitrix24.Webhook == "" ||
		second.Bitrix24.Settle != Duration(time.Second) || second.Bitrix24.MaxExecution != Duration(30*time.Second) {
		t.Errorf("second project %+v, want its own id and max_execution, the rest from the first", second)
	}
}

func TestWithoutAListOfRulesAnyRuleCanBeOff(t *testing.T) {
	config, err := Parse("ringbridge.yaml", []byte(minimal+"    scenarios: {off: [some/rule]}\n"), nil, nil)
	if err != nil || config.Projects[0].Scenarios.Off[0] != "some/rule" {
		t.Errorf("got %v, %v, want some/rule off", config.Projects, err)
	}
}

func TestAMissingFileSaysHowToMakeOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "absent.yaml")
	_, err := Load(path, nil, nil)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "ringbridge init") {
		t.Errorf("error %v, want fs.ErrNotExist with the path and `ringbridge init`", err)
	}
	folder := t.TempDir()
	if _, err := Load(folder, nil, nil); err == nil || !strings.Contains(err.Error(), folder+": is a folder; want a file") {
		t.Errorf("a folder given as the file: %v, want that it is one and what to do", err)
	}
}

func TestAFileThatTheConfigurationNamesMustBeThereWhereItIsUsed(t *testing.T) {
	dir := t.TempDir()
	path, creds := filepath.Join(dir, "ringbridge.yaml"), filepath.Join(dir, "n.creds")
	text := "nats:\n  url: nats://127.0.0.1:4222\n  credentials: " + creds + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadHere(path, nil, nil); err == nil || !strings.HasPrefix(err.Error(), path+":3: nats.credentials: ") || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("without the file: %v, want file, line, key and that it is not there", err)
	}
	if err := os.Mkdir(creds, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadHere(path, nil, nil); err == nil || !strings.Contains(err.Error(), "is a directory") {
		t.Errorf("with a folder in its place: %v, want that it is one", err)
	}
	if err := errors.Join(os.Remove(creds), os.WriteFile(creds, []byte("invented"), 0o600)); err != nil {
		t.Fatal(err)
	}
	if c, err := LoadHere(path, nil, nil); err != nil || c.NATS.Credentials != creds || c.NATS.Replicas != 3 {
		t.Errorf("with the file: %+v, %v, want it taken", c.NATS, err)
	}
}

func TestLookingMindsOnlyTheKeysThatItNeeds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ringbridge.yaml")
	text := "listen: 127.0.0.1:9090\nconsole: {token: ${TOKEN}}\nunknown: 1\nprojects: [{id: shop, bitrix24: {webhook: ${HOOK}}}]\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Look(path, nil, "listen", "data")
	if err != nil || c.Listen != "127.0.0.1:9090" || c.Data != Default().Data || c.Console.Token != "" {
		t.Errorf("got %+v, %v, want where it listens and no complaint", c, err)
	}
	if _, err := Look(path, nil, "listen", "console"); err == nil || !strings.HasPrefix(err.Error(), path+":2: console.token: ") || strings.Contains(err.Error(), "\n") {
		t.Errorf("with the token: %v, want one complaint about it", err)
	}
	if c, err = Look(path, env(map[string]string{"TOKEN": "invented"}), "listen", "console"); err != nil || c.Console.Token.Reveal() != "invented" {
		t.Errorf("with the token's variable: %+v, %v, want the token", c, err)
	}
	if err := os.WriteFile(path, []byte("listen: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Look(path, nil, "listen"); err == nil {
		t.Error("a file that is no YAML was read, want an error")
	}
}

func TestAFileIsReadFromItsPath(t *testing.T) {
	config, err := Load("testdata/full.yaml", env(fullEnv), testRules)
	if err != nil || len(config.Projects) != 1 {
		t.Fatalf("got %v, %v, want one project", config, err)
	}
	path := filepath.Join(t.TempDir(), "wrong.yaml")
	if err := os.WriteFile(path, []byte("listen: 8080\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, nil, nil); err == nil || !strings.HasPrefix(err.Error(), path+":1: listen: ") {
		t.Errorf("error %v, want one that begins with path, line and key", err)
	}
	if _, err := Parse("big.yaml", make([]byte, maxFile+1), nil, nil); err == nil || !strings.Contains(err.Error(), "4 MiB") {
		t.Errorf("error %v for a file over the limit, want one that names it", err)
	}
}

func TestALocationIsTheProjectsTimeZone(t *testing.T) {
	if got := parse(t, minimal, nil).Projects[0].Location().String(); got != "Europe/Kyiv" {
		t.Errorf("location %s, want Europe/Kyiv", got)
	}
	if got := (Project{TimeZone: "Nowhere/At_All"}).Location(); got != time.UTC {
		t.Errorf("location of an unknown zone %s, want UTC", got)
	}
}
