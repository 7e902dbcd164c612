package phone_test

import (
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"

	"github.com/ringbridge/ringbridge/pkg/phone"
)

func TestEverySpellingOfANumberIsTheSameNumber(t *testing.T) {
	const want = phone.Number("+380981112233")
	for _, raw := range []string{
		"098 111 22 33", "0981112233", "981112233", "380981112233", "+380981112233",
		"+38 (098) 111-22-33", "38 098 111 22 33", "00380981112233", "00 38 098 111 22 33",
		"8 098 111 22 33", "8-098-111-22-33", "80981112233", "+38.098.111.22.33", "098/111/22/33",
		"0981112233#123", "+380981112233 ext. 12", "098 111 22 33 (доб. 12)", "098 111 22 33 доб 12",
		"098 111 22 33 вн. 7", "0981112233x12", "+380981112233;ext=12", "0981112233,12", "0981112233#",
		"tel:+380-98-111-22-33", "  098\u00a0111\u00a022\u00a033 ", "\u202a+380981112233\u202c",
		"+380–98–111–22–33", "＋３８０９８１１１２２３３", "٠٩٨١١١٢٢٣٣", "+380 (0) 98 111 22 33",
	} {
		if got, ok := phone.Parse(raw, "UA"); !ok || got != want {
			t.Errorf("Parse(%q, UA) = %q, %v; want %q", raw, got, ok, want)
		}
	}
}

func TestANumberIsReadByThePlanOfItsCountry(t *testing.T) {
	for _, c := range []struct {
		raw, country string
		want         phone.Number
	}{
		{"8 (495) 111-22-33", "RU", "+74951112233"},
		{"8 903 111 22 33", "RU", "+79031112233"},
		{"9031112233", "RU", "+79031112233"},
		{"79031112233", "UA", "+79031112233"},
		{"48601112233", "UA", "+48601112233"},
		{"601 112 233", "PL", "+48601112233"},
		{"8 701 111 22 33", "KZ", "+77011112233"},
		{"(212) 555-0123", "US", "+12125550123"},
		{"+1 212 555 0123", "UA", "+12125550123"},
		{"06 1112 2233", "IT", "+390611122233"},
		{"0441112233", "ua", "+380441112233"},
		{"044 111 22 33", " UA ", "+380441112233"},
		{"+380981112233", "", "+380981112233"},
		{"380981112233", "", "+380981112233"},
		{"380981112233", "ZZ", "+380981112233"},
	} {
		if got, ok := phone.Parse(c.raw, c.country); !ok || got != c.want {
			t.Errorf("Parse(%q, %s) = %q, %v; want %q", c.raw, c.country, got, ok, c.want)
		}
	}
}

func TestANumberOfANewRangeIsAccepted(t *testing.T) {
	// +380 40 is in nobody's plan, but it is as long as a number must be.
	for _, raw := range []string{"+380401112233", "380401112233", "00380401112233"} {
		if got, ok := phone.Parse(raw, "UA"); !ok || got != "+380401112233" {
			t.Errorf("Parse(%q) = %q, %v; want +380401112233", raw, got, ok)
		}
	}
}

func TestWhatIsNotANumberIsRefused(t *testing.T) {
	for _, raw := range []string{
		"", " ", "-1", "0", "00", "000", "0000000000", "000000000000", "+", "++380981112233",
		"101", "1234", "15333", "112", "2233", "111223",
		"shop_olena", "shop_101", "testsitecom_380981112233", "sip:shop_olena@example.com", "sip380981112233",
		"anonymous", "Anonymous", "Restricted", "unknown", "unavailable", "266696687", "+266696687", "86282452253",
		"(not set)", "(none)", "4912345678", "098-111-22-33 or 098-222-33-44", "0981112233, 0982223344", "098111223З",
		"+999123456789", "1640989006505487", "1111111111.1111111", "12345678901234567890",
		strings.Repeat("0", 50) + "0981112233", "380981112233" + strings.Repeat(" ", 200),
		"098\x00111\x0022\x0033", "\xff\xfe0981112233", "0981112233 Olena", "webhookNumber:120", "10.10.10.10",
	} {
		if got, ok := phone.Parse(raw, "UA"); ok || got != "" {
			t.Errorf("Parse(%q, UA) = %q, %v; want none", raw, got, ok)
		}
	}
}

func TestANumberThatIsReadDifferentlyTheSecondTimeIsRefused(t *testing.T) {
	// Outside every plan the library drops one trunk prefix at each reading.
	for _, raw := range []string{"46000000000", "+46000000000"} {
		if got, ok := phone.Parse(raw, "UA"); ok {
			t.Errorf("Parse(%q) = %q, want none", raw, got)
		}
	}
}

func TestSpellingsAreTheWaysPeopleKeepANumber(t *testing.T) {
	for _, c := range []struct {
		number  phone.Number
		country string
		want    string
	}{
		{"+380981112233", "UA", "+380981112233 380981112233 00380981112233 0981112233 981112233 80981112233"},
		{"+380981112233", "PL", "+380981112233 380981112233 00380981112233"},
		{"+380981112233", "", "+380981112233 380981112233 00380981112233"},
		{"+48601112233", "UA", "+48601112233 48601112233 0048601112233"},
		{"+48601112233", "PL", "+48601112233 48601112233 0048601112233 601112233"},
		{"+79031112233", "RU", "+79031112233 79031112233 0079031112233 89031112233 9031112233"},
		{"", "UA", ""},
		{"nonsense", "UA", "nonsense"},
	} {
		if got := strings.Join(c.number.Spellings(c.country), " "); got != c.want {
			t.Errorf("Spellings of %q in %q:\n got %s\nwant %s", c.number, c.country, got, c.want)
		}
	}
}

func TestAMaskedNumberShowsOnlyItsEnds(t *testing.T) {
	for number, want := range map[phone.Number]string{
		"+380671112233":   "+380•••••2233",
		"+12125550123":    "+1••••••0123",
		"+3906111":        "+39•••11",
		"":                "",
		"0671112233":      "•••••",
		"shop_olena":      "•••••",
		"+":               "•••••",
		"+999671112233":   "•••••",
		"+38067111223344": "+380•••••••3344",
	} {
		if got := number.Masked(); got != want {
			t.Errorf("Masked(%q) = %q, want %q", number, got, want)
		}
	}
}

var countries = []string{"UA", "RU", "PL", "KZ", "US", "IT", "DE", "GB", "MD", "GE", "AR", "MX", ""}

// anyNumber draws the example numbers of every country with other last digits,
// so that most of them are in a numbering plan and some are not.
func anyNumber(t *rapid.T) string {
	regions := []string{"UA", "RU", "PL", "KZ", "US", "IT", "DE", "GB", "MD", "GE", "AR", "MX", "FR", "CN", "BR", "SM"}
	kinds := []phonenumbers.PhoneNumberType{phonenumbers.FIXED_LINE, phonenumbers.MOBILE, phonenumbers.TOLL_FREE}
	example := phonenumbers.GetExampleNumberForType(rapid.SampledFrom(regions).Draw(t, "region"), rapid.SampledFrom(kinds).Draw(t, "kind"))
	if example == nil {
		return "+380671112233"
	}
	digits := []byte(phonenumbers.Format(example, phonenumbers.E164))
	for i := len(digits) - 4; i < len(digits); i++ {
		digits[i] = byte('0' + rapid.IntRange(0, 9).Draw(t, "digit"))
	}
	return string(digits)
}

func TestParseKeepsItsOwnOutput(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom(countries).Draw(t, "country")
		raw := rapid.OneOf(rapid.Custom(anyNumber), rapid.StringMatching(`\+?[0-9 ()-]{5,18}`)).Draw(t, "raw")
		n, ok := phone.Parse(raw, country)
		if !ok {
			return
		}
		for _, again := range countries {
			if back, ok := phone.Parse(string(n), again); !ok || back != n {
				t.Fatalf("Parse(%q, %s) = %q, but Parse(%q, %s) = %q, %v", raw, country, n, n, again, back, ok)
			}
		}
	})
}

func TestEverySpellingIsReadBackAsTheNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		country := rapid.SampledFrom(countries).Draw(t, "country")
		n, ok := phone.Parse(rapid.Custom(anyNumber).Draw(t, "raw"), "")
		if !ok {
			return
		}
		list := n.Spellings(country)
		if len(list) < 2 || len(list) > 20 || list[0] != string(n) {
			t.Fatalf("Spellings of %q in %q = %q; want 2 to 20, E.164 first", n, country, list)
		}
		seen := map[string]bool{}
		for _, s := range list {
			if back, ok := phone.Parse(s, country); !ok || back != n || seen[s] {
				t.Fatalf("spelling %q of %q in %q is read as %q, %v (seen before: %v)", s, n, country, back, ok, seen[s])
			}
			seen[s] = true
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"098 111 22 33", "+38 (098) 111-22-33 #12", "shop_olena", "\"Olena\" <380671112233>", "٠٩٨١١١٢٢٣٣", "+1", "00"} {
		f.Add(s, "UA")
	}
	f.Add("8 903 111 22 33", "RU")
	f.Fuzz(func(t *testing.T, raw, country string) {
		n, ok := phone.Parse(raw, country)
		if ok != (n != "") {
			t.Fatalf("Parse(%q, %q) = %q, %v", raw, country, n, ok)
		}
		if !ok {
			return
		}
		if len(n) > 16 || n[0] != '+' || strings.Trim(string(n[1:]), "0123456789") != "" {
			t.Fatalf("Parse(%q, %q) = %q, which is not E.164", raw, country, n)
		}
		if back, ok := phone.Parse(string(n), country); !ok || back != n {
			t.Fatalf("Parse(%q, %q) = %q, but read again it is %q, %v", raw, country, n, back, ok)
		}
		if masked := n.Masked(); strings.Contains(masked, string(n[1:])) {
			t.Fatalf("Masked(%q) = %q shows the number", n, masked)
		}
		n.Spellings(country)
	})
}
