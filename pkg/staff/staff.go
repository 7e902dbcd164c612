// Package staff finds which user of a portal an employee of the telephone exchange is.
// It suggests and never decides: a person ties the two. Start reading at [Suggest].
package staff

import (
	"slices"
	"strings"
	"unicode"

	"github.com/ringbridge/ringbridge/pkg/phone"
)

// Employee is what is known of somebody in the telephone exchange.
type Employee struct {
	Name, Email, Extension string
	Numbers                []string
}

// User is what is known of somebody in the portal.
type User struct {
	ID               int
	Name             string // first and family name, in any order
	Email, Extension string
	Numbers          []string
}

// Reason says why a user is suggested.
type Reason string

// The reasons, the surest first.
const (
	ByExtension Reason = "extension"
	ByNumber    Reason = "number"
	ByEmail     Reason = "email"
	ByName      Reason = "name"
)

// Suggest returns the user who the employee seems to be: the only one with the same
// extension, else number, e-mail or name, in this order. What fits several users says
// nothing. Numbers are read as country writes them; names are compared in any order of
// their parts and in any of the alphabets that Ukrainian, Russian and English use.
func Suggest(e Employee, users []User, country string) (id int, why Reason, ok bool) {
	numbers := normal(e.Numbers, country)
	name := parts(e.Name)
	for _, by := range []struct {
		why  Reason
		same func(User) bool
	}{
		{ByExtension, func(u User) bool { return sameText(e.Extension, u.Extension) }},
		{ByNumber, func(u User) bool {
			return slices.ContainsFunc(normal(u.Numbers, country), func(n phone.Number) bool { return slices.Contains(numbers, n) })
		}},
		{ByEmail, func(u User) bool { return sameText(e.Email, u.Email) }},
		{ByName, func(u User) bool { return sameName(name, parts(u.Name)) }},
	} {
		found, several := 0, false
		for _, u := range users {
			if by.same(u) && u.ID != found {
				several = found != 0
				found = u.ID
			}
			if several {
				break
			}
		}
		if found != 0 && !several {
			return found, by.why, true
		}
	}
	return 0, "", false
}

func sameText(a, b string) bool {
	a, b = strings.TrimSpace(a), strings.TrimSpace(b)
	return a != "" && strings.EqualFold(a, b)
}

func normal(numbers []string, country string) (out []phone.Number) {
	for _, n := range numbers {
		if number, ok := phone.Parse(n, country); ok {
			out = append(out, number)
		}
	}
	return out
}

// sameName compares two names by their parts. A patronymic that only one of them has
// does not make them two; a single word is too little to tell anybody by.
func sameName(a, b []string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(a) < 2 {
		return false
	}
	for _, part := range a {
		if !slices.Contains(b, part) {
			return false
		}
	}
	return true
}

// parts are the words of a name, in Latin letters that spellings of the same name share.
func parts(name string) (out []string) {
	for _, word := range strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && r != '\'' && r != '’' && r != 'ʼ' && r != '`'
	}) {
		if word = sound(word); word != "" && !slices.Contains(out, word) {
			out = append(out, word)
		}
	}
	return out
}

// firstNames are names that the two languages do not merely spell differently.
var firstNames = map[string]string{
	"olena": "elena", "helena": "elena", "olga": "olha", "hanna": "anna", "ganna": "anna", "oleksandr": "aleksandr", "alexander": "aleksandr",
	"oleksandra": "aleksandra", "alexandra": "aleksandra", "oleksii": "aleksei", "alexey": "aleksei", "aleksey": "aleksei",
	"mykola": "nikolai", "nikolay": "nikolai", "serhii": "sergei", "sergey": "sergei", "serhiy": "sergei", "dmytro": "dmitrii",
	"dmitry": "dmitrii", "dmitri": "dmitrii", "petro": "petr", "pavlo": "pavel", "mykhailo": "mikhail", "andrii": "andrei", "andrey": "andrei",
	"andriy": "andrei", "kateryna": "ekaterina", "nataliia": "natalia", "natalya": "natalia", "yuliia": "iulia", "julia": "iulia",
	"volodymyr": "vladimir", "vasyl": "vasilii", "iryna": "irina", "tetiana": "tatiana", "svitlana": "svetlana", "mariia": "maria",
	"yevhen": "evgenii", "yevgen": "evgenii", "viktoriia": "viktoria", "victoria": "viktoria", "kseniia": "ksenia", "yuriy": "yurii",
}

// sounds writes Cyrillic letters in Latin ones, so that the Ukrainian, the Russian and
// the usual English spelling of a name come out alike: letters that the languages
// exchange (г and ґ, и and і, е and є) become one.
var sounds = map[rune]string{
	'а': "a", 'б': "b", 'в': "v", 'г': "g", 'ґ': "g", 'д': "d", 'е': "e", 'є': "e", 'ё': "e", 'ж': "zh", 'з': "z", 'и': "i", 'і': "i",
	'ї': "i", 'й': "i", 'к': "k", 'л': "l", 'м': "m", 'н': "n", 'о': "o", 'п': "p", 'р': "r", 'с': "s", 'т': "t", 'у': "u", 'ф': "f",
	'х': "kh", 'ц': "ts", 'ч': "ch", 'ш': "sh", 'щ': "shch", 'ъ': "", 'ы': "i", 'ь': "", 'э': "e", 'ю': "iu", 'я': "ia",
}

// latin brings the usual Latin spellings to those of sounds.
var latin = strings.NewReplacer("shch", "shch", "sch", "shch", "zh", "zh", "kh", "kh", "ts", "ts", "tz", "ts", "ch", "ch", "sh", "sh",
	"ye", "e", "yu", "iu", "ju", "iu", "ya", "ia", "ja", "ia", "yi", "i", "ii", "i", "iy", "i", "yy", "i", "ck", "k",
	"x", "ks", "w", "v", "y", "i", "j", "i", "h", "g", "c", "k", "q", "k", "'", "", "’", "", "ʼ", "", "`", "")

// Latin writes the Cyrillic small letters of a text in Latin ones.
func Latin(text string) string {
	var b strings.Builder
	for _, r := range text {
		if s, ok := sounds[r]; ok {
			b.WriteString(s)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// sound is how a word sounds, in Latin letters.
func sound(word string) string {
	heard := latin.Replace(Latin(word))
	if one, ok := alike[heard]; ok {
		return one
	}
	return heard
}

// alike are the first names by their sound.
var alike = func() map[string]string {
	out := map[string]string{}
	for a, b := range firstNames {
		out[latin.Replace(a)] = latin.Replace(b)
	}
	return out
}()
