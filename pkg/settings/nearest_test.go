package settings

import "testing"

func TestTheNearestWordIsTheOneThatWasMeant(t *testing.T) {
	known := keysOf[Project]()
	for word, want := range map[string]string{
		"locale": "locale", "lokale": "locale", "timezone": "time_zone", "TimeZone": "time_zone", "time-zone": "time_zone", "contry": "country",
		"seinor": "senior", "employes": "employees", "employee": "employees", "scenario": "scenarios", "bitrix": "bitrix24", "bitrix42": "bitrix24",
		"Id": "id", "colour": "", "": "", "x": "", "webhook": "", "ринго": "",
	} {
		if got := Nearest(word, known); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
	if got := Nearest("outbound/contakt", []string{"outbound/contact/unmapped", "outbound/contact", "outbound/new"}); got != "outbound/contact" {
		t.Errorf("Nearest(outbound/contakt) = %q, want outbound/contact", got)
	}
	if got := Nearest("word", nil); got != "" {
		t.Errorf("Nearest among nothing = %q, want nothing", got)
	}
}
